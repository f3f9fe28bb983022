// SPDX-License-Identifier: BSL-1.0
#if CASE
int broken = the_mistake;
#endif
