# Sourced by the examples: two people on two machines, each with a home of their own, gone when the script ends.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [[ ! -e $root/dist/pawl.cjs ]]; then
  echo 'pawl is not built yet: npm run ready' >&2
  exit 1
fi

# An installed pawl, if PAWL_BIN names the folder that it is in.
program=${PAWL_BIN:-$root/bin}/pawl
[[ -e $program ]] || program+=.js

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# In real life: no passphrase in a script, but pawl asks on the terminal, or reads --passphrase-file or --key-file.
alice() { PAWL_HOME=$work/alice-home PAWL_PASSPHRASE='correct horse battery staple' node "$program" "$@"; }
bob() { PAWL_HOME=$work/bob-home PAWL_PASSPHRASE='tr0ub4dor and 3' node "$program" "$@"; }

# Shows a command as it would be typed, then runs it.
run() {
  printf '\n$ %s\n' "$1"
  eval "$1"
}

# Runs a command that must be refused.
refused() {
  printf '\n$ %s\n' "$1"
  if eval "$1" 2>&1; then
    echo 'this should have been refused' >&2
    exit 1
  fi
}

note() { printf '\n# %s\n' "$*"; }

# An alice and a bob who have exchanged their first messages.
meet() {
  alice init alice > /dev/null 2>&1
  bob init bob > /dev/null 2>&1
  bob -q invite alice | alice -q add bob > /dev/null
  alice -q send bob -m 'hi bob' | bob -q recv > /dev/null
  bob -q send alice -m 'hi alice' | alice -q recv > /dev/null
}
