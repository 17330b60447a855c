/* SPDX-License-Identifier: MIT
 *
 * Python: typemaps. */
