# The phases of nixpkgs' stdenv, with CMake's hook, as far as default.nix uses them.
patchShebangs() { :; }

export HOME="$TMPDIR"
if [ -n "${buildCommand:-}" ]; then
    eval "$buildCommand"
    exit
fi
cp -r "$src" source
chmod -R u+w source
cd source
# The inputs are separated by spaces, as are the flags; CMake wants semicolons.
cmake -S . -B build -G Ninja -DCMAKE_INSTALL_PREFIX="$out" \
    -DCMAKE_PREFIX_PATH="$(echo "${buildInputs:-}" | tr ' ' ';')" ${cmakeFlags:-}
cd build
cmake --build . -j2
if [ -n "${installPhase:-}" ]; then
    eval "$installPhase"
else
    cmake --install .
    eval "${postInstall:-}"
fi
