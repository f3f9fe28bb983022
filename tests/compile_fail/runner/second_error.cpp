// SPDX-License-Identifier: BSL-1.0
#if CASE
int broken = the_mistake;
int second = what_follows_from_it;
#endif
