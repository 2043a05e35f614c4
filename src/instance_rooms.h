/* instance_rooms.h: the rooms of an instance, in the order in which they may use each other. */
#include "09_instance.h"
#include "10_lanes.h"
#include "11_elementary.h"
#include "12_fixed_point.h"
#if LFT_GROUP != LFT_SCALAR
#include "29_lane_draws.h"
#endif
#include "30_group.h"
#if LFT_GROUP == LFT_SCALAR
#include "31_real.h"
#elif LFT_GROUP == LFT_U1
#include "32_u1.h"
#elif LFT_GROUP == LFT_SU2
#include "33_su2.h"
#elif LFT_GROUP == LFT_SU3
#include "34_su3.h"
#endif
#include "40_lattice.h"
#include "41_field.h"
#if LFT_GROUP != LFT_SCALAR
#include "42_gauge.h"
#include "43_field_strength.h"
#include "44_wilson_flow.h"
#include "45_loops.h"
#include "46_configuration.h"
#endif
#if LFT_UPTO >= LFT_SAMPLE
#if LFT_GROUP != LFT_SCALAR
#include "47_characters.h"
#endif
#if LFT_GROUP == LFT_SU3
#include "47_su3_eigen.h"
#endif
#if LFT_GROUP == LFT_SU2
#include "48_su2_kernel.h"
#elif LFT_GROUP == LFT_SU3
#include "48_su3_kernel.h"
#elif LFT_GROUP == LFT_U1
#include "48_u1_kernel.h"
#endif
#if LFT_GROUP != LFT_SCALAR
#include "49_areas.h"
#include "49_heat_update.h"
#endif
#endif
#include "50_theory.h"
#if LFT_GROUP == LFT_SCALAR
#include "51_phi4.h"
#else
#include "52_wilson.h"
#endif
#if LFT_UPTO >= LFT_SAMPLE
#if LFT_GROUP == LFT_SCALAR
#include "60_hartley.h"
#include "61_spectrum.h"
#include "62_velocity.h"
#include "63_convolution.h"
#include "63_winograd.h"
#include "64_convnet.h"
#include "64_gaussian.h"
#endif
#include "64_prior.h"
#include "65_layer.h"
#if LFT_GROUP != LFT_SCALAR
#include "65_traces.h"
#include "66_loop_classes.h"
#include "67_loop_program.h"
#include "68_loop_draft.h"
#include "68_loop_order.h"
#include "68_plaquette_orbits.h"
#include "68_potential.h"
#include "68_trace_net.h"
#include "69_circle_density.h"
#include "69_group_scheme.h"
#include "69_loop_coefficients.h"
#endif
#if LFT_GROUP == LFT_SCALAR
#include "69_velocity_times.h"
#include "70_continuous.h"
#else
#include "71_gauge_continuous.h"
#endif
#if LFT_GROUP == LFT_SCALAR
#include "72_coupling.h"
#include "73_scalar_doubling.h"
#else
#include "74_circle.h"
#include "74_doubling.h"
#include "74_torus.h"
#endif
#if LFT_GROUP == LFT_SCALAR
#include "75_gaussian_prior.h"
#else
#include "76_gauge_prior.h"
#endif
#include "80_flow.h"
#include "80_flow_run.h"
#include "80_scales.h"
#if LFT_GROUP != LFT_SCALAR
#include "81_exact.h"
#include "81_multiscale.h"
#else
#include "81_scalar_multiscale.h"
#endif
#include "81_transfer.h"
#include "82_carry.h"
#include "82_metropolis.h"
#include "83_hmc.h"
#if LFT_GROUP != LFT_SCALAR
#include "84_heatbath.h"
#endif
#include "85_measurement.h"
#if LFT_GROUP == LFT_SCALAR
#include "86_scalar_observables.h"
#else
#include "87_flow_curve.h"
#include "87_gauge_observables.h"
#endif
#if LFT_GROUP != LFT_SCALAR
#include "88_gauge_layers.h"
#endif
#include "88_model.h"
#if LFT_GROUP == LFT_SCALAR
#include "88_scalar_layers.h"
#endif
#include "89_model_read.h"
#endif
#if LFT_UPTO >= LFT_TRAIN
#include "90_exactness.h"
#include "91_pullback.h"
#include "92_trainer.h"
#include "93_checkpoint.h"
#include "94_training.h"
#if LFT_GROUP != LFT_SCALAR
#include "95_loop_fit.h"
#endif
#endif
