// SPDX-License-Identifier: BSL-1.0
int noisy(int unused) {
    return CASE;
}
