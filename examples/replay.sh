#!/usr/bin/env bash
# A message can be read once. The same one again is recognised and harmless.
. "$(dirname "$0")/setup.sh"
meet

run 'alice send bob -m "pay 100 to carol" -o order.pawl'
run 'bob recv --lines order.pawl'

note 'Somebody sends it again: nothing comes out, and nothing changes.'
run 'bob recv order.pawl'
run 'bob recv --json order.pawl'
