#!/usr/bin/env bash
# A folder that both see carries the messages: a synchronized one, a mounted one, a stick. Each types `route` once.
. "$(dirname "$0")/setup.sh"
meet
mkdir shared

run 'alice route bob dir:shared'
run 'bob route alice dir:shared'
run 'bob route'

note 'Nothing is written here: it is in the folder, under a name that only the two know.'
run 'alice send bob -m "the minutes are in the folder"'
run 'alice send bob -m "and here is a second text"'
run 'ls shared | wc -l'
run 'bob recv --fetch --lines'
run 'ls shared | wc -l'

note 'The disk is not there: the text waits, and goes with the next command.'
run 'mv shared away'
refused 'bob send alice -m "while you were out"'
run 'mv away shared'
run 'bob recv --fetch'
run 'alice recv --fetch --lines'
