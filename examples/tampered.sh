#!/usr/bin/env bash
# An envelope that was altered on its way is refused, and changes nothing: the real one can still be read.
. "$(dirname "$0")/setup.sh"
meet

run 'alice send bob -m "meet me at six" -o real.pawl'

note 'A few bytes near the end are changed.'
run 'cp real.pawl forged.pawl'
run 'printf altered | dd of=forged.pawl bs=1 seek=$(($(stat -c %s real.pawl) - 9)) conv=notrunc status=none'
refused 'bob recv forged.pawl'

note 'The end is missing.'
run 'head -c 200 real.pawl > cut.pawl'
refused 'bob recv cut.pawl'

note 'The real one:'
run 'bob recv --lines real.pawl'
