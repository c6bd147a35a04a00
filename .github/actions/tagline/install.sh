#!/bin/sh
# Installs a released Tagline into a folder: install.sh v1.2.3 FOLDER. It needs curl
# and cosign. The checksums are believed only as the workflow signed them that
# releases Tagline, for this very tag; the archive only as the checksums say.
set -eu
version=$1 folder=$2

os=$(uname -s | tr '[:upper:]' '[:lower:]')
case $(uname -m) in
x86_64) arch=amd64 ;;
aarch64 | arm64) arch=arm64 ;;
*)
	echo "tagline is not released for $(uname -m); build it from source:" \
		"go install github.com/tagline-ci/tagline/ci/tagline@$version" >&2
	exit 1
	;;
esac
archive=tagline_${version#v}_${os}_$arch.tar.gz

mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for file in "$archive" checksums.txt checksums.txt.sigstore.json; do
	curl --fail --silent --show-error --location --retry 3 --output "$file" \
		"https://github.com/tagline-ci/tagline/releases/download/$version/$file"
done
cosign verify-blob checksums.txt --bundle checksums.txt.sigstore.json \
	--certificate-oidc-issuer https://token.actions.githubusercontent.com \
	--certificate-identity "https://github.com/tagline-ci/tagline/.github/workflows/tagline.yml@refs/tags/$version"
sha256() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }
grep "  $archive\$" checksums.txt >wanted || {
	echo "the checksums of tagline $version do not name $archive" >&2
	exit 1
}
sha256 --check wanted
tar -xzf "$archive" tagline
mv tagline "$folder/tagline"
