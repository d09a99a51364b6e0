#!/bin/sh
# Installs the servers that tests talk to, from Debian's packages, where that disturbs nobody: as root, where no system was
# booted that would start them. Elsewhere the tests that need them are skipped, and say so. No other mail server is replaced.
there() { command -v "$1" > /dev/null || [ -x "/usr/sbin/$1" ]; }
missing=
need() { there "$1" || missing="$missing $2"; } # PROGRAM PACKAGE
need sshd openssh-server
need ssh openssh-client
need syncthing syncthing
need nats-server nats-server
there sendmail || need postfix postfix
need dovecot dovecot-imapd
need msmtp msmtp
need curl curl
need openssl openssl
need rclone rclone
need pgbouncer pgbouncer
ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || there initdb || missing="$missing postgresql"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null && [ ! -d /run/systemd/system ]; then
  export DEBIAN_FRONTEND=noninteractive
  # The tests make clusters of their own: Debian need not make and start one.
  common=/etc/postgresql-common/createcluster.conf
  [ -e $common ] || { mkdir -p "${common%/*}" && echo 'create_main_cluster = false' > $common; }
  # shellcheck disable=SC2086 # one word a package
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } > /dev/null 2>&1 && exit 0
fi
echo "servers: tests that need them are skipped (apt-get install$missing)" >&2
