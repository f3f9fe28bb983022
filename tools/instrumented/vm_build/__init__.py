# SPDX-License-Identifier: BSL-1.0
"""Instrumented builds: software compiled with gcov in a guest's base system."""
