// SPDX-License-Identifier: GPL-2.0-or-later
// The policy reader on any bytes: it reads or it explains, and never both. An input of odd length is a network.yaml.
#include "policy_impl.h"

#include <stdlib.h>

enum { TREE_LEAST_BYTES = 1 << 17 }; // a larger block is a file's tree

void *__wrap_calloc(size_t n, size_t size);
void __wrap_free(void *at);
void *__real_calloc(size_t n, size_t size);
void __real_free(void *at);

// The two large blocks of every reading are made once: the kernel's clearing of megabytes costs a hundred times what reading does.
static struct policy *policies;
static uint8_t *tree;
static size_t tree_bytes;
static bool policies_lent, tree_lent;

void *__wrap_calloc(size_t n, size_t size)
{
	if (n == POLICY_MAX && size == sizeof(struct policy) && !policies_lent) {
		policies_lent = true;
		return policies = policies ? policies : __real_calloc(n, size);
	}
	if (n != 1 || size < TREE_LEAST_BYTES || tree_lent || (tree && size != tree_bytes))
		return __real_calloc(n, size);
	tree_lent = true;
	tree_bytes = size;
	return tree = tree ? memset(tree, 0, size) : __real_calloc(n, size);
}

void __wrap_free(void *at)
{
	if (at && at == (void *)tree) {
		tree_lent = false;
	} else if (at && at == (void *)policies) {
		// In order; one without a name is the last that was begun.
		for (unsigned i = 0, more = 1; more && i < POLICY_MAX; i++) {
			more = policies[i].name[0];
			memset(&policies[i], 0, sizeof(policies[i]));
		}
		policies_lent = false;
	} else {
		__real_free(at);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"fuzz.yaml", "network.yaml"};
	char error[POLICY_ERROR_BYTES];

	struct policy_set *set = policy_read_text(names[size & 1], bytes_of(data, size), error);

	if ((set != NULL) != (error[0] == 0))
		abort();
	policy_free(set);
	return 0;
}
