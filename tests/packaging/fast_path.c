/* SPDX-License-Identifier: MIT
 *
 * A user of the two fastest paths. fast_path_test.sh counts the instructions. */
#include <ouro/object.h>

void user_retain(void *object);
void user_release(void *object);

void user_retain(void *object)
{
    ouro_retain(object);
}

void user_release(void *object)
{
    ouro_release(object);
}
