#!/usr/bin/env bash
# Messages arrive in any order. Each command is a process of its own, so there is a restart between any two of them.
. "$(dirname "$0")/setup.sh"
meet

note 'Alice sends five messages.'
run 'for n in 1 2 3 4 5; do alice send bob -m "message $n" -o $n.pawl; done'

note 'The last comes first: the keys of the others are kept.'
run 'bob recv --lines 5.pawl'
run 'bob inspect alice | grep -A 3 "skipped keys"'

note 'The others follow, and a new chain begins in between.'
run 'bob recv --lines 2.pawl'
run 'bob send alice -m "got two of them" | alice recv --lines'
run 'alice send bob -m "more to come" | bob recv --lines'
run 'bob recv --lines 4.pawl 1.pawl 3.pawl'
run 'bob inspect alice | grep "skipped keys"'
