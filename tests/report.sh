# shellcheck shell=sh
# report.sh: the words of the shell checks; to be sourced. One line per case, and a last line that can be added up.
passed=0
failed=0
skipped=0

ok() { # case
    passed=$((passed + 1))
    printf 'ok       %s\n' "$1"
}

bad() { # case [file with the reasons]; REASONS lines of them are shown
    failed=$((failed + 1))
    printf 'FAILED   %s\n' "$1"
    if [ -n "${2-}" ]; then # of a compiler's or linker's output, the errors alone
        { grep -E 'error:|undefined ' "$2" || cat "$2"; } | head -n "${REASONS:-12}" | cut -c 1-240 |
            sed 's/^/         | /'
    fi
}

skip() { # case, why
    skipped=$((skipped + 1))
    printf 'skipped  %s: %s\n' "$1" "$2"
}

expect_empty() { # case, file with the reasons: none is a pass
    if [ -s "$2" ]; then bad "$1" "$2"; else ok "$1"; fi
}

# Adds the closing line of another check, read from its output. A missing line is a failure.
add_closing_line() { # case, output
    counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$2" | tail -n 1)
    if [ -z "$counts" ]; then
        bad "$1: no closing line"
        return
    fi
    # shellcheck disable=SC2086 # three numbers
    set -- $counts
    passed=$((passed + $1))
    failed=$((failed + $2))
    skipped=$((skipped + $3))
}

finish() { # the closing line; status 1 after a failure
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    [ "$failed" -eq 0 ]
}
