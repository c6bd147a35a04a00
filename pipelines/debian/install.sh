# Installs the Debian packages that are its arguments, at the versions on its
# standard input: "name version" lines. Says which are of another version now,
# as "MOVED name version", and fails. Lists and archives are on temporary mounts.
set -e
cd /var/cache/apt
sort >pins
awk '{ printf "Package: %s\nPin: version %s\nPin-Priority: 1001\n\n", $1, $2 }' pins >preferences
have() { dpkg-query --show --showformat '${Package} ${Version}\n' | sort; }
have >before
# Without this, an archive that does not answer is a warning, and packages are missing.
apt-get update -q -o APT::Update::Error-Mode=any
apt-get install -qy --no-install-recommends --allow-downgrades \
	-o Dir::Etc::preferences=/var/cache/apt/preferences "$@" </dev/null
have >after
join -v 1 -t '~' after before >new
join -v 1 -t '~' new pins >moved
if [ -s moved ]; then
	sed 's/^/MOVED /' moved
	exit 1
fi
