#!/bin/sh
# Where popper's time goes under a load: perf by process and symbol, and
# system calls by strace.  Run as root after setup.sh.
#
# usage: profile.sh BUILD SCENARIO FORMAT     (e.g. . login mbox)
#
# perf samples the server's processor, and what is popper's is shown.  strace
# slows the server many times: its counts are good, its times are not.
set -eu

build=${1:?usage: profile.sh BUILD SCENARIO FORMAT}
scenario=${2:?usage: profile.sh BUILD SCENARIO FORMAT}
format=${3:?usage: profile.sh BUILD SCENARIO FORMAT}
here=$(dirname "$0")
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

perf record -q -e cpu-clock -F 4000 -C 0 -g -o "$out/perf" -- \
	"$here/run.py" --build "$build" --rounds 3 \
	--peers "popper:$format" "$scenario"
for sort in comm comm,dso comm,symbol; do
	perf report -i "$out/perf" --stdio --no-children -g none \
		--sort "$sort" --percent-limit 0.3 2>/dev/null |
		grep -E '%[[:space:]]+popper' | cut -c 1-78 | head -60
	echo
done
POPPER_BENCH_WRAP="strace -f -c -S calls -o $out/strace" \
	"$here/run.py" --build "$build" --rounds 1 \
	--peers "popper:$format" "$scenario"
head -50 "$out/strace"
