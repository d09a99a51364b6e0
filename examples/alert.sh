#!/usr/bin/env bash
# An alert from cron to two people on call. The machine has an identity with a key file, and a route to each of them.
. "$(dirname "$0")/setup.sh"
mkdir shared
alice init alice > /dev/null 2>&1
bob init bob > /dev/null 2>&1
monitor() { PAWL_HOME=$work/monitor-home PAWL_KEY_FILE=$work/monitor.key node "$program" "$@"; }

note 'Once: an identity for the machine, and one invite that both answer.'
run 'monitor init monitor'
run 'monitor invite oncall --reusable -o invite.txt'
run 'monitor route oncall dir:shared'
for person in alice bob; do
  "$person" -q add monitor invite.txt > /dev/null
  "$person" -q route monitor dir:shared
  "$person" -q send monitor -m "$person is on call"
done
run 'monitor recv --fetch --format "%from: %text\n"'
run 'monitor list oncall oncall-1 oncall-2'

note 'From cron: what fails is sent to all on the list; where a place cannot be reached, it waits, and the exit code is 69.'
cat > check <<'SCRIPT'
report=$(df -P / | awk 'NR == 2 && $5 + 0 >= 0 { print "the disk is", $5, "full" }')
[ -z "$report" ] || monitor -q send @oncall -m "$report"
SCRIPT
run '. ./check'
run 'alice recv --fetch --lines'
run 'bob recv --fetch --lines'
