#!/usr/bin/env bash
# A bot that answers. In real life: pawl -i bot recv --follow --exec ./answer, started by the service manager.
. "$(dirname "$0")/setup.sh"
meet
mkdir shared
alice -q route bob dir:shared
bob -q route alice dir:shared

note 'The command gets each text on its standard input, and who wrote it in its environment. Exit 0: it is done with.'
cat > answer <<'SCRIPT'
#!/bin/sh
# pawl gives no passphrase on: a bot has its key in a file (pawl passwd --new-key-file). PAWL_ID tells a repetition.
read -r question
case $question in
  uptime) answer="up since Monday" ;;
  *) answer="I know one word only: uptime" ;;
esac
exec bob-pawl send "$PAWL_FROM" -m "$answer"
SCRIPT
chmod +x answer
bob -q passwd --new-key-file "$work/bob.key"
printf '#!/bin/sh\nPAWL_HOME=%s PAWL_KEY_FILE=%s exec node %s -q "$@"\n' \
  "$work/bob-home" "$work/bob.key" "$program" > bob-pawl
chmod +x bob-pawl
PATH=$work:$PATH

run 'alice send bob -m uptime'
run 'bob-pawl recv --fetch --exec ./answer'
run 'alice recv --fetch --lines'
run 'alice send bob -m "how are you?"'
run 'bob-pawl recv --fetch --exec ./answer'
run 'alice recv --fetch --lines'
