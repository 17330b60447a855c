/* SPDX-License-Identifier: MIT
 *
 * The machinery of OURO_TYPE and OURO_SLOTS. A field word is (offset / 8) | (slots in the field << 16). */
#ifndef OURO_INLINE_TYPE_H
#define OURO_INLINE_TYPE_H

#ifdef __cplusplus
#define OURO_PRIVATE_ALIGNOF(T) alignof(T)
#else
#define OURO_PRIVATE_ALIGNOF(T) _Alignof(T)
#endif

#define OURO_PRIVATE_FIELD(T, m) \
    (uint32_t)(offsetof(T, m) / sizeof(ouro_slot) | (sizeof(((T *)0)->m) / sizeof(ouro_slot)) << 16 | \
               0 * sizeof(char[offsetof(T, m) < (1u << 19) && sizeof(((T *)0)->m) < (1u << 19) ? 1 : -1]))

/* EACH(T, a, b, ...) is FIELD(T, a), FIELD(T, b), ...: picks the E<n> whose n is the number of members. */
#define OURO_PRIVATE_EACH(T, ...)                                                                                     \
    OURO_PRIVATE_PICK(__VA_ARGS__, E32, E31, E30, E29, E28, E27, E26, E25, E24, E23, E22, E21, E20, E19, E18, E17,    \
                      E16, E15, E14, E13, E12, E11, E10, E9, E8, E7, E6, E5, E4, E3, E2, E1, E0)                      \
    (T, __VA_ARGS__)
#define OURO_PRIVATE_PICK(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20,  \
                          a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32, n, ...)                         \
    OURO_PRIVATE_##n
#define OURO_PRIVATE_E1(T, m) OURO_PRIVATE_FIELD(T, m)
#define OURO_PRIVATE_E2(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E1(T, __VA_ARGS__)
#define OURO_PRIVATE_E3(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E2(T, __VA_ARGS__)
#define OURO_PRIVATE_E4(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E3(T, __VA_ARGS__)
#define OURO_PRIVATE_E5(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E4(T, __VA_ARGS__)
#define OURO_PRIVATE_E6(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E5(T, __VA_ARGS__)
#define OURO_PRIVATE_E7(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E6(T, __VA_ARGS__)
#define OURO_PRIVATE_E8(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E7(T, __VA_ARGS__)
#define OURO_PRIVATE_E9(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E8(T, __VA_ARGS__)
#define OURO_PRIVATE_E10(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E9(T, __VA_ARGS__)
#define OURO_PRIVATE_E11(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E10(T, __VA_ARGS__)
#define OURO_PRIVATE_E12(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E11(T, __VA_ARGS__)
#define OURO_PRIVATE_E13(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E12(T, __VA_ARGS__)
#define OURO_PRIVATE_E14(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E13(T, __VA_ARGS__)
#define OURO_PRIVATE_E15(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E14(T, __VA_ARGS__)
#define OURO_PRIVATE_E16(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E15(T, __VA_ARGS__)
#define OURO_PRIVATE_E17(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E16(T, __VA_ARGS__)
#define OURO_PRIVATE_E18(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E17(T, __VA_ARGS__)
#define OURO_PRIVATE_E19(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E18(T, __VA_ARGS__)
#define OURO_PRIVATE_E20(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E19(T, __VA_ARGS__)
#define OURO_PRIVATE_E21(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E20(T, __VA_ARGS__)
#define OURO_PRIVATE_E22(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E21(T, __VA_ARGS__)
#define OURO_PRIVATE_E23(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E22(T, __VA_ARGS__)
#define OURO_PRIVATE_E24(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E23(T, __VA_ARGS__)
#define OURO_PRIVATE_E25(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E24(T, __VA_ARGS__)
#define OURO_PRIVATE_E26(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E25(T, __VA_ARGS__)
#define OURO_PRIVATE_E27(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E26(T, __VA_ARGS__)
#define OURO_PRIVATE_E28(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E27(T, __VA_ARGS__)
#define OURO_PRIVATE_E29(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E28(T, __VA_ARGS__)
#define OURO_PRIVATE_E30(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E29(T, __VA_ARGS__)
#define OURO_PRIVATE_E31(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E30(T, __VA_ARGS__)
#define OURO_PRIVATE_E32(T, m, ...) OURO_PRIVATE_FIELD(T, m), OURO_PRIVATE_E31(T, __VA_ARGS__)

#endif
