# Says how many bytes of this image's files are of whom, as "bytes owner" lines:
# a Debian package, a folder of /epics, or "other" for what is of nobody.
{
	for list in /var/lib/dpkg/info/*.list; do
		package=${list##*/}
		package=${package%.list}
		sed "s|^|P ${package%:*} |" "$list"
	done
	# What the engine itself puts into a container that runs is no part of it.
	find / -xdev \( -path '/.*' -o -path /etc/hosts -o -path /etc/resolv.conf -o -path /etc/hostname \) -prune \
		-o -type f -printf 'F %s %p\n'
} | awk '
$1 == "P" {
	path = substr($0, length($2) + 4)
	owner[path] = $2
	owner["/usr" path] = $2 # /lib and others are links into /usr
}
$1 == "F" {
	path = substr($0, length($2) + 4)
	who = "other"
	split(path, part, "/")
	if (part[2] == "epics")
		who = part[3] == "support" ? part[4] : part[3]
	else if (path in owner)
		who = "Debian " owner[path]
	bytes[who] += $2
}
END { for (who in bytes) printf "%d %s\n", bytes[who], who }'
