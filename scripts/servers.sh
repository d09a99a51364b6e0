#!/bin/sh
# Installs the servers that tests talk to, from Debian's packages, where that disturbs nobody: as root, where no system was
# booted that would start them. Elsewhere the tests that need them are skipped, and say so.
there() { command -v "$1" > /dev/null || [ -x "/usr/sbin/$1" ]; }
there sshd && there syncthing && there nats-server && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null && [ ! -d /run/systemd/system ]; then
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends openssh-server openssh-client syncthing nats-server; } > /dev/null 2>&1 && exit 0
fi
echo 'servers: sshd, syncthing or nats-server is missing: tests that need it are skipped (apt-get install openssh-server syncthing nats-server)' >&2
