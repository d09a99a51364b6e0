#!/usr/bin/env bash
# A CI job hands over a secret that it has made, to one person, by a place that nobody needs to trust.
. "$(dirname "$0")/setup.sh"
mkdir relay
alice init alice > /dev/null 2>&1

note 'The job has nothing but an invite of alice, which is no secret: each run is an identity of its own.'
run 'alice invite release --reusable -o release.invite'
run 'alice route release dir:relay'

job() { PAWL_MARKS=none PAWL_HOME=$work/job PAWL_KEY_FILE=$work/job/key node "$program" -q "$@"; }
note 'The job: it makes a secret, hands it over, and forgets all of it.'
mkdir job
job init job > /dev/null
job add alice release.invite > /dev/null
job route alice dir:relay
run 'head -c 20 /dev/urandom | base64 > token; job send alice token'
cp token made
rm -rf job token

note 'Alice gets it as a file, from a contact that she can tell from others by its fingerprint only: see pawl verify.'
mkdir inbox
run 'alice recv --fetch --out-dir inbox'
run 'cmp made inbox/token && echo "the same secret"'
