# What default.nix takes from nixpkgs, made of the host's own programs and libraries: for a test that needs no network.
# It is not hermetic (builds see all of /usr) and holds exactly what is used.
{
  kernel, # a folder with vmlinux and lib/modules
}:

let
  usr = "/usr";
in
{
  stdenv = {
    hostPlatform.linux-kernel.target = "vmlinux";
    mkDerivation =
      arguments:
      derivation (
        {
          name = "${arguments.pname}-${arguments.version}";
          system = builtins.currentSystem;
          builder = "/bin/sh";
          args = [
            "-eu"
            ./host_builder.sh
          ];
          PATH = "/usr/bin:/bin";
        }
        // arguments
      );
  };
  runtimeShell = "/bin/sh";
  linux = builtins.path {
    name = "kernel";
    path = kernel;
  };
  boost = usr;
  cmake = usr;
  fmt = usr;
  glibc.static = usr;
  libedit = usr;
  ninja = usr;
  pkgsStatic.busybox = usr;
  python3 = usr;
  qemu = usr;
}
