# Says which Debian packages would be installed for those that are its
# arguments, as "name version" lines, and the versions of those that are there.
set -e
# Without this, an archive that does not answer is a warning, and packages are missing.
apt-get update -q -o APT::Update::Error-Mode=any >&2
apt-get install -s --no-install-recommends "$@" >/var/cache/apt/simulated
sed -n 's/^Inst \([^ :]*\)\(:[^ ]*\)\{0,1\} \(\[[^]]*\] \)\{0,1\}(\([^ ]*\) .*/\1 \4/p' /var/cache/apt/simulated
for p; do
	dpkg-query --show --showformat '${db:Status-Status} ${Package} ${Version}\n' "$p" 2>/dev/null |
		sed -n 's/^installed //p'
done
