// SPDX-License-Identifier: GPL-2.0-or-later
// Kinds of file: any bytes, as the end and with more to come; what is said is a kind.
#include "proto.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes all = bytes_of(data, size);
	enum file_kind early = file_kind_of(all, true), late = file_kind_of(all, false);

	if ((unsigned)early >= FILE_KINDS || late == FILE_NONE ||
	    (early != FILE_NONE && early != FILE_SCRIPT && early != late))
		abort(); // what was certain does not change at the end; a script's first lines are only evidence
	file_kind_mismatch(late, all);
	return file_kind_fact(late) & ~(FACT_BIT(FACT_JAVA_CLASS) | FACT_BIT(FACT_EXECUTABLE) | FACT_BIT(FACT_SCRIPT))
		       ? 1
		       : 0;
}
