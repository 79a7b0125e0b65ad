#!/bin/sh
# Makes what a release ships, in OUT, and says what is not ready; `make release-check` calls it, after the ABI's test.
#   OUT          folder, made anew: the crate, the wheels, a prefix as a tarball, SBOM, SHA256SUMS
#   LIBRARY_DIR  folder of the built library and program
#   WHEELS       folder of the wheels
#   TOOLS        folder with cargo-deny and syft
# Everything is made before anything is judged. Exit status: 0 ready, 1 not ready.
set -eu
cd "$(dirname "$0")/.."
out=${OUT:?} library=${LIBRARY_DIR:?} wheels=${WHEELS:?} tools=${TOOLS:?}
open=
not_ready() { open="$open
- $*"; }

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml)
test "$(printf '%s\n' "$version" | wc -l)" = 1 || not_ready "Cargo.toml has more than one version"
version=$(printf '%s\n' "$version" | head -n 1)
name=smoothtopk-$version
echo "release-check: $name"

rm -rf "$out"
mkdir -p "$out"
out=$(cd "$out" && pwd)

# What is tagged is what was checked.
changed=$(git status --porcelain --untracked-files=normal)
test -z "$changed" || not_ready "the tree is not clean:
$changed"
test -z "$(git tag --list "v$version")" || not_ready "v$version is tagged already"

# One version: every other place takes it from Cargo.toml, or is compared here.
for package in smoothtopk smoothtopk-cli; do
    locked=$(sed -n "/^name = \"$package\"\$/{n;s/^version = \"\(.*\)\"\$/\1/p;}" Cargo.lock)
    test "$locked" = "$version" || not_ready "Cargo.lock has $package $locked"
done
built=$("$library/smoothtopk" --version)
test "$built" = "smoothtopk $version" || not_ready "the program that was built says: $built"
grep -q "^## \[$version\] - [0-9-]*\$" CHANGELOG.md || not_ready "CHANGELOG.md has no section '## [$version] - YYYY-MM-DD'"
if sed -n '/^## \[Unreleased\]/,/^## \[[0-9]/p' CHANGELOG.md | grep -q '^- '; then
    not_ready "CHANGELOG.md has changes under [Unreleased]: move them to [$version]"
fi

# The ABI as described is the ABI as built: `make test-abi` has just written it anew.
git diff --quiet -- tests/abi/smoothtopk.abi tests/abi/smoothtopk.constants \
    || not_ready "tests/abi was not up to date: commit what UPDATE_ABI=1 make test-abi wrote, after a look at it"

# The crate. The program is no crate of its own on a registry: it comes with the wheel and the prefix.
cargo package --quiet --locked --no-verify --allow-dirty --package smoothtopk
cp "${CARGO_TARGET_DIR:-target}/package/$name.crate" "$out/"

found=
for wheel in "$wheels"/smoothtopk-"$version"-*.whl; do
    if test -f "$wheel"; then cp "$wheel" "$out/" && found=yes; fi
done
test -n "$found" || not_ready "$wheels has no wheel of $version"

# The prefix: what `make install` installs, the program, licences. The same input gives the same bytes.
platform=$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)
stage=$out/stage/$name-$platform
LIBRARY_DIR=$library PREFIX=/usr/local DESTDIR=$out/installed sh mk/install.sh >/dev/null
mkdir -p "$out/stage"
mv "$out/installed/usr/local" "$stage"
install -D -m 755 "$library/smoothtopk" "$stage/bin/smoothtopk"
install -d "$stage/share/doc/smoothtopk"
cp README.md CHANGELOG.md LICENSE-* "$stage/share/doc/smoothtopk/"
cp -r licenses "$stage/share/doc/smoothtopk/"
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)" -C "$out/stage" \
    -cf - "$name-$platform" | gzip -n >"$out/$name-$platform.tar.gz"
rm -rf "$out/stage" "$out/installed"

# What is in it: licences and sources of every dependency, and a list of them.
PATH="$tools:$PATH" cargo-deny --log-level error --locked check licenses bans sources || not_ready "cargo-deny refuses a dependency"
"$tools/syft" scan --quiet file:Cargo.lock --source-name smoothtopk --source-version "$version" \
    --output "cyclonedx-json=$out/$name.cdx.json"

(cd "$out" && sha256sum -- *.crate *.whl *.tar.gz *.json >SHA256SUMS 2>/dev/null) || not_ready "a file is missing"
cat "$out/SHA256SUMS"
if test -n "$open"; then
    echo "release-check: not ready to be tagged:$open" >&2
    exit 1
fi
echo "release-check: ready. Next: git tag -s v$version, and RELEASING.md"
