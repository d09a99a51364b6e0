#!/usr/bin/env bash
# Without the passphrase the file is noise, and trying does not change it.
. "$(dirname "$0")/setup.sh"
meet

run 'sha256sum < bob-home/bob.db > before'
refused 'PAWL_HOME=bob-home PAWL_PASSPHRASE=guess node "$program" inspect'
run 'sha256sum < bob-home/bob.db | cmp - before && echo "the file is what it was"'
