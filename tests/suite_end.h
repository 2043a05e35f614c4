/* suite_end.h: the end of a suite (suite.h), so that another instance may follow. */
#undef SUITE_NAME
#undef SUITE_GROUP
#undef SUITE_DIM
#undef SUITE_REAL
#undef SUITE_LANES
#undef SUITE_TEXT
