// SPDX-License-Identifier: GPL-2.0-or-later
// SipHash-1-3 and -2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012). Every hash table over
// attacker-chosen keys uses it with a random key: an unkeyed table is a denial of service.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1;
};

uint64_t siphash13(const struct siphash_key *key, const void *data, size_t n);
// The same of n words, each as its 8 bytes in little-endian order: for keys that are made in registers.
uint64_t siphash13_words(const struct siphash_key *key, const uint64_t *words, size_t n);
uint64_t siphash24(const struct siphash_key *key, const void *data, size_t n);
