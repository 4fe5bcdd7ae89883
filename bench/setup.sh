#!/bin/sh
# Set the peers and the mail up: run as root on Debian, once.
#
# usage: setup.sh BUILD [large] [huge]
#
# BUILD is the top of a build tree after `make bench`.  Everything lies in
# $POPPER_BENCH (/var/tmp/popper-bench), except the packages dovecot-pop3d and
# its parts, /etc/pam.d/popa3d and the users popbench000 to popbench049.
set -eu

work=${POPPER_BENCH:-/var/tmp/popper-bench}
build=${1:?usage: setup.sh BUILD [large] [huge]}
shift

install_packages() {
	if [ ! -x /usr/sbin/dovecot ]; then
		apt-get -o DPkg::Lock::Timeout=500 install -y -q \
			--no-install-recommends dovecot-core dovecot-pop3d
	fi
}

# popa3d is unpacked, not installed: as a package it conflicts with the others.
unpack_popa3d() {
	if [ ! -x "$work/popa3d/usr/sbin/popa3d" ]; then
		mkdir -p "$work/debs"
		chmod 777 "$work/debs"
		(cd "$work/debs" && apt-get download -q popa3d)
		dpkg-deb -x "$work"/debs/popa3d_*.deb "$work/popa3d"
	fi
	mkdir -p /var/lib/popa3d
	printf '@include common-auth\n@include common-account\n' \
		>/etc/pam.d/popa3d
	getent passwd popa3d >/dev/null ||
		useradd -r -M -d /nonexistent -s /usr/sbin/nologin popa3d
}

# The hash is the one in peers.py: a cheap one, so that it does not count.
make_users() {
	for i in $(seq 0 49); do
		user=popbench$(printf %03d "$i")
		getent passwd "$user" >/dev/null ||
			useradd -u $((7000 + i)) -g mail -M -d /nonexistent \
				-s /usr/sbin/nologin -p xygJhrgX7RWWI "$user"
	done
}

# make_mail NAME MESSAGES OCTETS [OPTION]
make_mail() {
	folder=$work/data/$1
	[ -e "$folder/done" ] && return
	mkdir -p "$work/data"
	"$build/bench/genbox" -o "$folder" -n "$2" -b "$3" ${4:+"$4"}
	touch "$folder/done"
}

install_packages
unpack_popa3d
make_users
make_mail small 20 200e3
make_mail medium 1000 25e6
for size in "$@"; do
	case $size in
	large) make_mail large 20000 400e6 ;;
	huge) make_mail huge 100000 2e9 -M ;;
	*) echo "setup.sh: no such size: $size" >&2 && exit 2 ;;
	esac
done
