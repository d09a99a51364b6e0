#!/usr/bin/env bash
# A conversation from its beginning: two identities, an invite, messages in both directions, and what is stored then.
. "$(dirname "$0")/setup.sh"

note 'Each makes an identity: one encrypted file.'
run 'alice init alice'
run 'bob init bob'

note 'Bob invites Alice, over any channel; she keeps the invite under a name.'
run 'bob invite alice -o invite.txt'
run 'alice add bob invite.txt'

note 'Her first message opens the conversation.'
run 'alice send bob -m "hi bob, what is the plan?" -o first.pawl'
run 'alice inspect --envelope first.pawl'
run 'bob recv --lines first.pawl'

note 'From here on it is pipes, files, mail: whatever carries bytes.'
run 'bob send alice -m "lunch at noon" | alice recv --lines'
run 'alice send bob -m "see you there" | bob recv --lines'
run 'head -c 100000 /dev/urandom > photo.jpg'
run 'bob send alice photo.jpg | alice recv -o received.jpg'
run 'cmp photo.jpg received.jpg && echo "the same bytes"'

note 'What each side has stored. The fingerprints of the chains cross over.'
run 'alice inspect'
run 'alice inspect bob'
run 'bob inspect alice'
