# The phases of nixpkgs' stdenv, with CMake's hook, as far as default.nix uses them.
patchShebangs() { :; }

export HOME="$TMPDIR"
if [ -n "${buildCommand:-}" ]; then
    eval "$buildCommand"
    exit
fi
cp -r "$src" source
chmod -R u+w source
mkdir source/build
cd source/build
# The inputs are separated by spaces, as are the flags; CMake wants semicolons.
cmake "${cmakeDir:-..}" -G Ninja -DCMAKE_INSTALL_PREFIX="$out" \
    -DCMAKE_PREFIX_PATH="$(echo "${buildInputs:-}" | tr ' ' ';')" ${cmakeFlags:-}
cmake --build . -j2
if [ -n "${installPhase:-}" ]; then
    eval "$installPhase"
else
    cmake --install .
    eval "${postInstall:-}"
fi
