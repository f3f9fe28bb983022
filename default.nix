# SPDX-License-Identifier: BSL-1.0
# nix-build                      all that is below
# nix-build -A vmdsl             headers, library, guest agent and image tool
# nix-build -A images.tiny       the smallest image, from nixpkgs' kernel and busybox, as a folder with its descriptor
# nix-build -A examples.tiny     an example's compiled test: result/bin/tiny runs it
#
# A program made by testProgram has the store paths of its images, and of QEMU, in it. An image that is not among its
# `images` it looks for in the folders of $VMDSL_IMAGE_PATH when it runs.
{
  pkgs ? import <nixpkgs> { },
}:

let
  vmdsl = pkgs.stdenv.mkDerivation {
    pname = "vmdsl";
    version = builtins.head (builtins.match ".*project\\(vmdsl VERSION ([0-9.]+).*" (builtins.readFile ./CMakeLists.txt));
    # Without what is not installed, so that a changed test or page of documentation builds nothing again.
    src = builtins.path {
      name = "vmdsl-source";
      path = ./.;
      filter =
        path: type:
        let
          inside = builtins.substring (builtins.stringLength (toString ./. + "/")) (-1) path;
        in
        builtins.elem (builtins.head (builtins.split "/" inside)) [
          "CMakeLists.txt"
          "cmake"
          "include"
          "src"
          "tools"
        ];
    };
    nativeBuildInputs = [
      pkgs.cmake
      pkgs.ninja
    ];
    buildInputs = [
      pkgs.libedit # the prompt's line editor
      pkgs.glibc.static # the agent runs where there are no libraries
      pkgs.python3 # what the image tool's first line is made to name
    ];
    propagatedBuildInputs = [
      pkgs.boost
      pkgs.fmt
    ];
    cmakeFlags = [
      "-DVMDSL_TESTS=OFF"
      "-DVMDSL_WERROR=OFF"
    ];
    # These tools run here; the scripts beside them run in Debian guests and stay as they are.
    dontPatchShebangs = true;
    postInstall = "patchShebangs --host $out/libexec/vmdsl/vm-image $out/libexec/vmdsl/vm-build";
  };

  # An image is a folder with NAME.image.json, whose paths are store paths. Anything that makes one may stand beside tiny.
  images.tiny = pkgs.stdenv.mkDerivation {
    name = "vmdsl-image-tiny";
    nativeBuildInputs = [ pkgs.python3 ];
    buildCommand = ''
      export VMDSL_CACHE_DIR=$TMPDIR/cache
      mkdir $out
      ${vmdsl}/libexec/vmdsl/vm-image tiny --agent ${vmdsl}/libexec/vmdsl/vmdsl-agent \
        --kernel ${pkgs.linux}/${pkgs.stdenv.hostPlatform.linux-kernel.target} --modules ${pkgs.linux.modules or pkgs.linux}/lib/modules \
        --busybox ${pkgs.pkgsStatic.busybox}/bin/busybox --initrd $out/initrd --output $out/tiny.image.json
    '';
  };

  # A CMake project that makes one spec of that name with add_vm_test, as a program.
  testProgram =
    {
      name,
      src,
      folder ? ".", # of the project, in src
      images,
    }:
    pkgs.stdenv.mkDerivation {
      inherit name src;
      nativeBuildInputs = [
        pkgs.cmake
        pkgs.ninja
      ];
      buildInputs = [ vmdsl ];
      cmakeDir = "../${folder}"; # from the build folder
      cmakeFlags = [
        "-DVMDSL_BUILD_IMAGES=OFF"
        "-DVMDSL_IMAGE_PATH=${builtins.concatStringsSep ";" (map toString images)}"
      ];
      installPhase = ''
        mkdir -p $out/bin $out/libexec
        cp ${name} $out/libexec/${name}
        cat >$out/bin/${name} <<END
        #!${pkgs.runtimeShell}
        export VMDSL_QEMU="\''${VMDSL_QEMU:-${pkgs.qemu}/bin/qemu-system-x86_64}"
        exec $out/libexec/${name} "\$@"
        END
        chmod 755 $out/bin/${name}
      '';
    };

  example =
    name: images:
    testProgram {
      inherit name images;
      src = ./examples; # whole, because one uses another's files
      folder = name;
    };

  recurse.recurseForDerivations = true;
in
{
  inherit vmdsl testProgram;
  images = images // recurse;
  examples = builtins.mapAttrs example {
    tiny = [ images.tiny ];
    # Their images are of Debian packages, which a build in Nix can't fetch: tools/vm-image makes them.
    subversion = [ ];
    subversion-coverage = [ ];
  } // recurse;
}
