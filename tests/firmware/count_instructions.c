/* A QEMU plugin that counts the instructions a program executes between its marks: exact, and the
 * same in each run.
 *
 * Needs no header of QEMU: it declares what it uses of version 1 of the plugin interface (QEMU 4.2
 * and later, qemu-plugin.h). Prints "region NUMBER COUNT" on stderr at the end of each region, whose
 * marks are HINT instructions that processors ignore; see COUNT_BEGIN in board.hpp and in tests/arm/count.cpp. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t,
                                           void (*)(qemu_plugin_id_t, struct qemu_plugin_tb*));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb*);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb*, size_t);
const void* qemu_plugin_insn_data(const struct qemu_plugin_insn*);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn*);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn*,
                                            void (*)(unsigned, void*), enum qemu_plugin_cb_flags,
                                            void*);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn*, enum qemu_plugin_op,
                                                void*, uint64_t);

EXPORT int qemu_plugin_version = 1;

static uint64_t executed, begin[32];

static void begin_region(unsigned cpu, void* number) {
  (void)cpu;
  begin[(uintptr_t)number] = executed;
}

static void end_region(unsigned cpu, void* number) {
  (void)cpu;
  /* The mark has counted itself. */
  fprintf(stderr, "region %u %llu\n", (unsigned)(uintptr_t)number,
          (unsigned long long)(executed - begin[(uintptr_t)number] - 1));
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb* block) {
  (void)id;
  const size_t count = qemu_plugin_tb_n_insns(block);
  for (size_t i = 0; i < count; ++i) {
    struct qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(block, i);
    qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &executed, 1);
    /* Not "== 4": at the end of a page QEMU 7.2 takes two bytes of the next instruction along. */
    uint16_t half[2];
    if (qemu_plugin_insn_size(insn) < sizeof(half)) continue;
    memcpy(half, qemu_plugin_insn_data(insn), sizeof(half));
    /* 64-bit ARM: HINT 64 to 95 and 96 to 127. A first half like this is no 32-bit Thumb. */
    if (qemu_plugin_insn_size(insn) == 4 && half[1] == 0xd503 && (half[0] & 0xf01f) == 0x201f) {
      const unsigned hint = (half[0] >> 5) & 0x7f;
      void* region = (void*)(uintptr_t)(hint & 0x1f);
      if ((hint & 0x60) == 0x40)
        qemu_plugin_register_vcpu_insn_exec_cb(insn, begin_region, QEMU_PLUGIN_CB_NO_REGS, region);
      if ((hint & 0x60) == 0x60)
        qemu_plugin_register_vcpu_insn_exec_cb(insn, end_region, QEMU_PLUGIN_CB_NO_REGS, region);
      continue;
    }
    if (half[0] != 0xf3af) continue;
    void* number = (void*)(uintptr_t)(half[1] & 0xf);
    if ((half[1] & 0xfff0) == 0x80e0) {
      qemu_plugin_register_vcpu_insn_exec_cb(insn, begin_region, QEMU_PLUGIN_CB_NO_REGS, number);
    } else if ((half[1] & 0xfff0) == 0x80d0) {
      qemu_plugin_register_vcpu_insn_exec_cb(insn, end_region, QEMU_PLUGIN_CB_NO_REGS, number);
    }
  }
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void* info, int argc, char** argv) {
  (void)info, (void)argc, (void)argv;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  return 0;
}
