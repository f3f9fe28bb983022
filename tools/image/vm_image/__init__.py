# SPDX-License-Identifier: BSL-1.0
"""Guest images for vmdsl: kernel, initrd, read-only root, scratch disk and the descriptor that names them."""
