#!/usr/bin/env python3
"""profiling/predict.py on a listing of a few instructions: what it reads, how often it walks round a loop, and the
arithmetic of a launch. With the path of duel_launches, also what that says of a step."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "profiling"))
import machine_code  # noqa: E402
import predict  # noqa: E402
import walk_step  # noqa: E402
import walk_values  # noqa: E402
import warp_walk  # noqa: E402

LAUNCHES = None

# y[i] = x[i] for i < count, with a stride of the whole grid; arguments: x, y, count.
COPY = """
\t.section\t.text.copy,"ax",@progbits
.text.copy:
copy:
        /*0000*/                   LDC R1, c[0x0][0x28] ;
        /*0010*/                   S2R R0, SR_CTAID.X ;
        /*0020*/                   S2R R3, SR_TID.X ;
        /*0030*/                   ULDC.64 UR4, c[0x0][0x208] ;
        /*0040*/                   IMAD R0, R0, c[0x0][0x0], R3 ;
        /*0050*/                   ISETP.GE.AND P0, PT, R0, c[0x0][0x220], PT ;
        /*0060*/               @P0 EXIT ;
.L_x_0:
        /*0070*/                   IMAD.MOV.U32 R9, RZ, RZ, 0x4 ;
        /*0080*/                   IMAD.WIDE R4, R0, R9, c[0x0][0x210] ;
        /*0090*/                   LDG.E R2, desc[UR4][R4.64] ;
        /*00a0*/                   IMAD.WIDE R6, R0.reuse, R9, c[0x0][0x218] ;
        /*00b0*/                   STG.E desc[UR4][R6.64], R2 ;
        /*00c0*/                   IMAD.MOV.U32 R8, RZ, RZ, c[0x0][0xc] ;
        /*00d0*/                   IMAD R0, R8, c[0x0][0x0], R0 ;
        /*00e0*/                   ISETP.GE.AND P0, PT, R0, c[0x0][0x220], PT ;
        /*00f0*/              @!P0 BRA `(.L_x_0) ;
        /*0100*/                   EXIT ;
.L_x_1:
        /*0110*/                   BRA `(.L_x_1);
"""


def kernel_of(text, name="copy"):
    kernel = machine_code.Kernel(name, registers=32)
    machine_code.parse_listing(text, {name: kernel})
    return kernel


def listing(*lines):
    body = "\n".join(line if line.startswith(".L") else f"        /*{16 * i:04x}*/  {line} ;" for i, line in enumerate(lines))
    return f'\t.section\t.text.copy,"ax",@progbits\ncopy:\n{body}\n'


def launch_of(count=1000, grid=(2, 1, 1), threads=64):
    arguments = (1 << 20).to_bytes(8, "little") + (1 << 21).to_bytes(8, "little") + count.to_bytes(4, "little")
    return {"grid": list(grid), "block": [threads, 1, 1], "shared": 0, "arguments": arguments.hex()}


def walk(text, **options):
    at = {"block": (0, 0, 0), "warp": 0, "is_last": False, "launch": launch_of(), **options}
    walked = warp_walk.Walk(kernel_of(text), at["launch"], at["block"], at["warp"], {}, at["is_last"])
    walked.run()
    return walked


def result_of(*lines):
    """R0 of lane 0 after these instructions."""
    value = walk(listing(*lines, "EXIT")).r[0]
    return value[0] if type(value) is list else value


class Listing(unittest.TestCase):
    def test_instructions_guards_and_labels(self):
        kernel = kernel_of(COPY)
        self.assertEqual(len(kernel.instructions), 18)
        self.assertEqual(kernel.labels[".L_x_0"], 0x70)
        self.assertEqual([each.guard for each in kernel.instructions if each.guard], ["P0", "!P0"])
        self.assertEqual(kernel.instructions[10].operands, ["R6", "R0", "R9", "c[0x0][0x218]"])

    def test_kernels_that_nobody_asked_for_are_passed_over(self):
        other = machine_code.Kernel("other")
        machine_code.parse_listing(COPY, {"other": other})
        self.assertEqual(other.instructions, [])

    def test_a_jump_by_table_loses_its_list_of_targets(self):
        kernel = kernel_of(listing('BRX R10 -0x40    (*"BRANCH_TARGETS .L_x_1,.L_x_2"*)'))
        self.assertEqual(kernel.instructions[0].operands, ["R10", "-0x40"])


class Walk(unittest.TestCase):
    def test_a_loop_turns_as_often_as_its_arguments_say(self):
        # 128 threads in all: thread 0 takes elements 0, 128, ... below 1000, so 8.
        counts = walk(COPY).counts
        self.assertEqual(counts.issued, 7 + 8 * 9 + 1)
        self.assertEqual(counts.by_class["load"], 8)
        self.assertEqual(counts.sectors, 8 * (4 + 4))

    def test_lanes_that_have_ended_issue_nothing(self):
        # The last warp begins at 96, the last turn of whose lanes is cut off at 1000: 104 + 7 * 128 = 1000.
        counts = walk(COPY, block=(1, 0, 0), warp=1).counts
        self.assertEqual(counts.by_class["load"], 8)
        self.assertEqual(counts.sectors, 7 * 8 + 2)
        self.assertEqual(walk(COPY, launch=launch_of(10), warp=1).counts.issued, 7)

    def test_a_warp_waits_for_what_it_reads(self):
        chain = walk(listing("LDG.E R2, desc[UR4][R4.64]", "IADD3 R3, R2, 0x1, RZ", "LDG.E R6, desc[UR4][R4.64+0x80]",
                             "IADD3 R3, R6, 0x1, RZ", "EXIT")).counts.cycles
        overlapped = walk(listing("LDG.E R2, desc[UR4][R4.64]", "LDG.E R6, desc[UR4][R4.64+0x80]", "IADD3 R3, R2, 0x1, RZ",
                                  "IADD3 R3, R6, 0x1, RZ", "EXIT")).counts.cycles
        load = walk_step.LATENCY["load"]
        self.assertTrue(2 * load < chain < 2 * load + 30, chain)
        self.assertTrue(load < overlapped < load + 30, overlapped)

    def test_parted_lanes_both_run_and_join_again(self):
        counts = walk(listing("S2R R3, SR_LANEID", "ISETP.LT.AND P0, PT, R3, 0x4, PT", "@P0 BRA `(.L_x_2)",
                              "IADD3 R0, R3, 0x1, RZ", ".L_x_2:", "EXIT")).counts
        self.assertEqual(counts.issued, 5)
        counts = walk(listing("S2R R3, SR_LANEID", "ISETP.LT.AND P0, PT, R3, 0x4, PT", "@!P0 EXIT", "NOP", "EXIT")).counts
        self.assertEqual(counts.issued, 5)

    def test_integers(self):
        for lines, wanted in (
                (["MOV R1, 0x5", "IADD3 R0, -R1, 0x3, RZ"], 0xFFFFFFFE),
                (["MOV R1, 0xffffffff", "IADD3 R2, P0, R1, 0x1, RZ", "IADD3.X R0, RZ, RZ, RZ, P0, !PT"], 1),
                # 64-bit difference 5 - 3: -3 brings a carry
                (["MOV R1, 0x3", "MOV R2, 0x5", "IADD3 R3, P0, R2, -R1, RZ", "IADD3.X R0, RZ, ~RZ, RZ, P0, !PT"], 0),
                (["MOV R1, 0xfffffffe", "IMAD.HI.U32 R0, R1, 0x3, RZ"], 2),
                (["MOV R1, 0xfffffffe", "IMAD.WIDE R2, R1, 0x3, RZ", "MOV R0, R3"], 0xFFFFFFFF),
                (["MOV R1, 0x7", "LEA R0, R1, 0x100, 0x3"], 0x138),
                (["MOV R1, 0x80000000", "LEA.HI R0, R1, 0x1, RZ, 0x1"], 2),
                (["MOV R1, 0xfffffff0", "LEA.HI.SX32 R0, R1, 0x1, 0x1e"], 0xFFFFFFFD),
                (["MOV R1, 0x80000000", "SHF.R.S32.HI R0, RZ, 0x1f, R1"], 0xFFFFFFFF),
                (["MOV R1, 0x80000000", "SHF.L.U64.HI R0, R1, 0x1, RZ"], 1),
                (["MOV R1, 0xc", "LOP3.LUT R0, R1, 0xa, RZ, 0xc0, !PT"], 8),
                (["MOV R1, 0xc", "LOP3.LUT R0, R1, 0xa, RZ, 0x3c, !PT"], 6),
                (["MOV R1, 0x44332211", "PRMT R0, R1, 0x7632, RZ"], 0x4433),
                (["HFMA2.MMA R0, -RZ, RZ, 0, 5.9604644775390625e-08"], 1),
                (["MOV R1, 0x9", "VIADDMNMX R0, R1, -0x4, 0x3, PT"], 3)):
            self.assertEqual(result_of(*lines), wanted, lines)

    def test_a_comparison_in_two_halves(self):
        # 2^32 + 1 < 2^32 + 2, and not the other way round
        for low_a, low_b, wanted in ((1, 2, 1), (2, 1, 0)):
            self.assertEqual(result_of(f"MOV R2, {low_a:#x}", f"MOV R4, {low_b:#x}", "ISETP.LT.U32.AND P0, PT, R2, R4, PT",
                                       "MOV R3, 0x1", "ISETP.LT.AND.EX P0, PT, R3, 0x1, PT, P0", "SEL R0, 0x1, RZ, P0"), wanted)

    def test_a_division_as_compilers_write_it(self):
        # 1000 / 7 by the reciprocal in float
        lines = ["MOV R7, 0x7", "MOV R5, 0x3e8", "I2F.U32.RP R4, R7", "MUFU.RCP R4, R4", "VIADD R2, R4, 0xffffffe",
                 "F2I.FTZ.U32.TRUNC.NTZ R3, R2", "IMAD.MOV.U32 R2, RZ, RZ, RZ", "IMAD.MOV R6, RZ, RZ, -R3", "IMAD R6, R6, R7, RZ",
                 "IMAD.HI.U32 R3, R3, R6, R2", "IMAD.HI.U32 R0, R3, R5, RZ", "IMAD.MOV R3, RZ, RZ, -R0", "IMAD R4, R7, R3, R5",
                 "ISETP.GE.U32.AND P0, PT, R4, R7, PT", "@P0 IMAD.IADD R4, R4, 0x1, -R7", "@P0 VIADD R0, R0, 0x1",
                 "ISETP.GE.U32.AND P1, PT, R4, R7, PT", "@P1 VIADD R0, R0, 0x1"]
        self.assertEqual(result_of(*lines), 142)

    def test_only_the_block_that_comes_last_goes_on(self):
        text = listing("MOV R9, 0x83", "ATOMG.E.ADD.STRONG.GPU PT, R2, desc[UR4][R4.64], R9", "ISETP.NE.AND P0, PT, R2, R9, PT",
                       "@P0 EXIT", "NOP", "EXIT")
        self.assertEqual(walk(text).counts.issued, 4)
        self.assertEqual(walk(text, is_last=True).counts.issued, 6)

    def test_shared_memory_gives_a_bank_one_word_at_a_time(self):
        for stride, size, cycles in ((4, "", 1), (8, "", 2), (128, "", 32), (132, "", 1), (0, "", 1), (16, ".128", 4), (0, ".128", 1)):
            walked = walk(listing("S2R R3, SR_LANEID", f"IMAD R3, R3, {stride:#x}, RZ", f"LDS{size} R4, [R3]", "EXIT"))
            self.assertEqual(walked.counts.shared_cycles, cycles, (stride, size))
        for stride, cycles in ((16, 4), (128, 32), (80, 4)):  # rows of four 8x8 matrices
            walked = walk(listing("S2R R3, SR_LANEID", f"IMAD R3, R3, {stride:#x}, RZ", "LDSM.16.M88.4 R4, [R3]", "EXIT"))
            self.assertEqual(walked.counts.shared_cycles, cycles, stride)

    def test_a_generic_address_decides_whether_memory_is_shared(self):
        # R4, R5: an address of the launch's arguments, or shared memory's window and a place in it
        in_global = ["LDC.64 R4, c[0x0][0x210]"]
        in_shared = ["MOV R4, 0x400", "S2R R5, SR_SWINHI"]
        use = ["MOV R2, 0x9", "ST.E desc[UR4][R4.64], R2", "LD.E R0, desc[UR4][R4.64]", "IADD3 R0, R0, 0x1, RZ", "EXIT"]
        walked = walk(listing(*in_global, *use))
        self.assertEqual((walked.r[0], walked.counts.sectors, walked.counts.shared_cycles), (walk_values.READ_VALUE + 1, 2, 0))
        self.assertGreater(walked.counts.cycles, walk_step.LATENCY["load"])
        walked = walk(listing(*in_shared, *use))
        self.assertEqual((walked.r[0], walked.counts.sectors, walked.counts.shared_cycles), (10, 0, 2))
        self.assertLess(walked.counts.cycles, walk_step.LATENCY["load"])

    def test_lanes_of_one_generic_access_may_part(self):
        # Lanes below 8 read shared memory, four bytes apart; the others global memory, so three sectors.
        part = ["S2R R3, SR_LANEID", "ISETP.LT.AND P0, PT, R3, 0x8, PT", "LDC.64 R4, c[0x0][0x210]", "S2R R6, SR_SWINHI",
                "SEL R5, R6, R5, P0", "IMAD R6, R3, 0x4, R4", "MOV R7, R5"]
        walked = walk(listing(*part, "LD.E.U16 R0, desc[UR4][R6.64]", "IADD3 R0, R0, 0x1, RZ", "EXIT"))
        self.assertEqual((walked.counts.sectors, walked.counts.shared_cycles), (3, 1))
        self.assertGreater(walked.counts.cycles, walk_step.LATENCY["load"])
        walked = walk(listing(*part, "ST.E.64 desc[UR4][R6.64], R8", "EXIT"))
        self.assertEqual((walked.counts.sectors, walked.counts.shared_cycles), (3, 1))

    def test_memory_of_another_block_of_the_cluster_is_far(self):
        read = ["MOV R4, 0x400", "S2R R5, SR_SWINHI", "MOV R6, {rank}", "PRMT R4, R6, 0x654, R4", "LD.E R0, desc[UR4][R4.64]",
                "IADD3 R0, R0, 0x1, RZ", "EXIT"]
        own, other = (walk(listing(*(line.format(rank=rank) for line in read))).counts for rank in ("RZ", "0x3"))
        self.assertEqual((own.sectors, other.sectors, own.shared_cycles, other.shared_cycles), (0, 0, 1, 1))
        self.assertEqual(other.cycles - own.cycles, walk_step.LATENCY["cluster"] - walk_step.LATENCY["shared"])

    def test_blocks_wait_for_their_cluster_where_the_launch_has_clusters(self):
        text = listing("LDC R0, c[0x0][0x140]", "ISETP.NE.AND P0, PT, R0, 0x1, PT", "@P0 EXIT", "UCGABAR_ARV", "UCGABAR_WAIT", "EXIT")
        alone, together = walk(text).counts, walk(text, launch={**launch_of(), "cluster": [1, 1, 8]}).counts
        self.assertEqual((alone.issued, together.issued), (3, 6))
        self.assertGreater(together.cycles, alone.cycles + walk_step.LATENCY["cluster"])

    def test_what_is_put_aside_comes_back(self):
        aside = ["MOV R2, 0x7", "MOV R3, 0x9", "STL.64 [R1+0x8], R2", "MOV R3, RZ", "LDL.LU.64 R4, [R1+0x8]"]
        self.assertEqual(result_of(*aside, "IADD3 R0, R4, R5, RZ"), 16)
        with self.assertRaisesRegex(warp_walk.Unknown, "index differently"):
            walk(listing("S2R R1, SR_LANEID", "STL [R1], R2", "EXIT"))

    def test_a_small_constant_keeps_its_sign(self):
        launch = launch_of(count=0xFE)
        for opcode, wanted in (("LDC.S8", 0xFFFFFFFE), ("LDC.U8", 0xFE), ("LDC.S16", 0xFE)):
            self.assertEqual(walk(listing(f"{opcode} R0, c[0x0][0x220]", "EXIT"), launch=launch).r[0], wanted)

    def test_an_unknown_instruction_is_refused_by_name(self):
        with self.assertRaisesRegex(warp_walk.Unknown, "WGMMA.64"):
            walk(listing("WGMMA.64 R0, R1, R2", "EXIT"))
        with self.assertRaisesRegex(warp_walk.Unknown, "an end"):
            most, warp_walk.MOST_INSTRUCTIONS = warp_walk.MOST_INSTRUCTIONS, 1000
            try:
                walk(listing(".L_x_0:", "BRA `(.L_x_0)").replace(".L_x_0:\n", "", 1).replace("copy:", "copy:\n.L_x_0:"))
            finally:
                warp_walk.MOST_INSTRUCTIONS = most


def counts_of(issued, cycles=0, sectors=0, **by_class):
    return SimpleNamespace(issued=issued, by_class=by_class, shared_cycles=0, sectors=sectors, cycles=cycles)


def time_of(grid, counts, threads=128, registers=32, last=None):
    kernel = machine_code.Kernel("k", registers=registers)
    if last:
        kernel.instructions = [machine_code.Instruction(0, "ATOMG.E.ADD.STRONG.GPU", [])]
    launch = {"grid": [grid, 1, 1], "block": [threads, 1, 1], "shared": 0}
    warps = threads // 32

    def walk_launch(_, __, is_last):
        return predict.BlockCost([(last if is_last else counts, warps)], warps)

    return predict.launch_time(kernel, launch, walk_launch)


class Arithmetic(unittest.TestCase):
    def test_samples_stand_for_all(self):
        for count in (1, 3, 4, 5, 262):
            self.assertAlmostEqual(sum(weight for _, weight in predict.sampled(count, 4)), count)
        self.assertEqual(predict.sampled(262, 4)[-1], (261, 1))

    def test_issue_is_that_of_the_busiest_multiprocessor(self):
        # 4 warps of 17550 instructions on 4 schedulers: 10 us a block.
        for grid, us in ((1, 10), (132, 10), (133, 20), (1320, 100)):
            time = time_of(grid, counts_of(17550))
            self.assertAlmostEqual(time["us"], us)
            self.assertEqual(time["limit"], "issue")

    def test_one_warp_has_one_scheduler(self):
        self.assertAlmostEqual(time_of(1, counts_of(17550), threads=32)["us"], 10)
        self.assertAlmostEqual(time_of(132 * 4, counts_of(17550), threads=32)["us"], 10)

    def test_slower_units_decide_where_they_are_busier(self):
        time = time_of(132, counts_of(17550, alu=17550))  # two a cycle instead of four
        self.assertEqual((round(time["us"], 6), time["limit"]), (20, "alu"))

    def test_latency_counts_as_often_as_blocks_follow_each_other(self):
        # 255 registers: 2 blocks of 128 threads at once
        self.assertAlmostEqual(time_of(132 * 2, counts_of(1, cycles=17550), registers=255)["us"], 10)
        self.assertAlmostEqual(time_of(132 * 6, counts_of(1, cycles=17550), registers=255)["us"], 30)

    def test_bytes_through_the_second_cache(self):
        sectors = 5.5e6 * 10 / 32 / 1320 / 4  # 10 us at 5.5 TB/s, by the warps of 1320 blocks
        time = time_of(1320, counts_of(1, sectors=sectors))
        self.assertEqual((round(time["us"], 6), time["limit"]), (10, "L2"))

    def test_the_last_block_comes_on_top(self):
        time = time_of(132, counts_of(17550, cycles=1755), last=counts_of(17550, cycles=1755 + 35100))
        self.assertAlmostEqual(time["us"], 10 + 20)
        self.assertEqual(time["limit"], "last block")

    def test_a_node_takes_the_time_of_its_memory_and_the_gap(self):
        node = {"launches": [{"kernel": "k"}], "bytes": 3e6 * 50, "op": "x", "place": "y"}
        known = {json.dumps({"kernel": "k"}, sort_keys=True): {"us": 10, "limit": "issue", "instructions": 1, "tail_us": 0}}
        time = predict.node_time({}, node, known)
        self.assertAlmostEqual(time["us"], 50 + predict.GAP_US)
        self.assertEqual(time["limit"], "memory")
        self.assertEqual(predict.node_time({}, {**node, "bytes": 0}, known)["limit"], "issue")

    def test_a_file_keeps_the_rows_that_are_about_something_else(self):
        row = {"step": "classic bf16", "id": "cast a -> b", "op": "cast", "what": "d_main", "us": 2.0, "limit": "gap"}
        tf32 = {**row, "step": "classic tf32"}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "predictions" / "h100.json"
            predict.write_json(path, [[tf32], [{**row, "step": "steady bf16"}]])
            report = json.loads(path.read_text())
            report["rows"].append({"id": "torch eager bf16", "us": 1850})
            report["rows"].append({"id": "operator bf16 gone a -> b", "us": 1850})
            path.write_text(json.dumps(report))
            predict.write_json(path, [[row, {**row, "us": 4.0}, {**row, "id": "add", "us": 5.0}]])
            found = {each["id"]: each["us"] for each in predict.read_rows(path)}
        self.assertEqual(found, {"step classic bf16": 11.0, "step classic tf32": 2.0, "step steady bf16": 2.0, "torch eager bf16": 1850,
                                 "operator bf16 cast a -> b": 6.0, "operator bf16 add": 5.0, "operator tf32 cast a -> b": 2.0})


class Recorded(unittest.TestCase):
    def test_every_node_of_a_step_launches_something(self):
        if not LAUNCHES:
            self.skipTest("no duel_launches: a build with nvcc has it")

        def nodes(*more):
            done = subprocess.run([LAUNCHES, "--preset", "classic", "--precision", "bf16", *more], capture_output=True, text=True,
                                  check=True)
            return json.loads(done.stdout)["nodes"]

        large = nodes()
        self.assertGreater(len(large), 30)
        for node in large:
            self.assertTrue(node["launches"], node)
            for launch in node["launches"]:
                self.assertIn("kernel", launch["kernel"])
        small = nodes("--multiprocessors", "3")
        self.assertNotEqual([each["launches"] for each in large], [each["launches"] for each in small])


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        LAUNCHES = sys.argv.pop(1)
    unittest.main()
