/* What a GPIO chip says of one of its lines, without requesting it. */
#ifndef DOORKEEP_RELAY_LOOK_H
#define DOORKEEP_RELAY_LOOK_H

#include <stdbool.h>
#include <stdint.h>

/* Of an open chip, one line of words on standard output, v2 or v1 being the interface that the kernel has:
 *   v2 free                   the line is there, and nobody's
 *   v2 used CONSUMER          somebody holds it; without a name, the kernel does
 *   v2 absent 8               the chip has only 8 lines
 * False: it is no GPIO chip, see errno. */
bool relay_look(int chip, uint32_t offset);

#endif
