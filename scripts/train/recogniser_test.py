"""python3 -m unittest discover -s scripts/train -p '*_test.py'   (needs PyTorch, NumPy, Pillow and ONNX Runtime)"""
import os
import tempfile
import unittest
from argparse import Namespace
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
from PIL import Image

import recogniser as r
from onnx_graph import OnnxGraph, fields

TEACHER = Path(__file__).resolve().parents[3] / "shared" / "models" / "face-reidentification-retail-0095.onnx"


def some_faces(count=6):
    return (r.Chance(3, torch.device("cpu")).uniform(0, 1, count, 3, 112, 112) * 255).to(torch.uint8)


class StubTeacher(torch.nn.Module):
    """Maps and an embedding that depend on the picture, at no cost."""

    def look(self, x):
        maps = [F.interpolate(x.mean(1, keepdim=True), (side, side)).expand(-1, channels, -1, -1) for side, channels in zip(r.Student.SIDES, r.Teacher.CHANNELS)]
        return F.interpolate(x.mean(1, keepdim=True), (16, 16)).flatten(1), maps


class NumberedLessons:
    """Every value of the n-th block is n; StopIteration after the last."""

    def __init__(self, blocks):
        self.numbers = iter(range(blocks))

    def make(self, count):
        number = float(next(self.numbers))
        maps = [torch.full((count, channels, side, side), number) for side, channels in zip(r.Student.SIDES, r.Teacher.CHANNELS)]
        return torch.full((count, 3, 96, 96), int(number), dtype=torch.uint8), torch.full((count, 256), number), maps


class Alignment(unittest.TestCase):
    def test_a_turned_and_scaled_face_lands_on_the_points(self):
        cos, sin = 1.7 * np.cos(0.3), 1.7 * np.sin(0.3)
        landmarks = r.TEACHER_POINTS @ np.array([[cos, -sin], [sin, cos]]).T + (40, 25)
        m = r.chip_to_picture(landmarks, r.TEACHER_POINTS)
        np.testing.assert_allclose(r.TEACHER_POINTS @ m[:, :2].T + m[:, 2], landmarks, atol=1e-9)

    def test_a_picture_that_is_aligned_already_is_cut_unchanged(self):
        pixels = np.random.default_rng(1).integers(0, 255, (128, 128, 3), np.uint8)
        cut = r.cut_chip(Image.fromarray(pixels), r.TEACHER_POINTS, 128)
        self.assertLessEqual(np.abs(cut.astype(int) - pixels)[1:-1, 1:-1].max(), 1)

    def test_a_face_twice_as_large_is_cut_at_the_right_pixels(self):
        # Falling: Pillow rounds down, and would hide half a pixel in a rising one.
        ramp = np.repeat(np.arange(255, -1, -1, dtype=np.uint8)[None, :, None], 256, 0).repeat(3, 2)
        cut = r.cut_chip(Image.fromarray(ramp), 2 * r.TEACHER_POINTS, 128)
        np.testing.assert_allclose(cut[64, 1:-1, 0], 255 - 2 * np.arange(1, 127), atol=0.01)

    def test_the_composer_frames_a_face_as_the_alignment_does(self):
        spot = np.zeros((112, 112, 3), np.uint8)
        x, y = (int(round(v)) for v in r.CANVAS_POINTS[1])
        spot[y - 1 : y + 2, x - 1 : x + 2] = 255
        composer = r.Composer(torch.from_numpy(spot.transpose(2, 0, 1)[None].copy()), r.Chance(1, torch.device("cpu")))
        chip = composer.plain(1)[0, 0].numpy()
        cut = r.cut_chip(Image.fromarray(spot), r.CANVAS_POINTS, 128)[:, :, 0] / 255
        grid = np.mgrid[:128, :128]
        middle = [(grid * c).sum((1, 2)) / c.sum() for c in (chip, cut)]
        np.testing.assert_allclose(middle[0], middle[1], atol=0.1)


class Lessons(unittest.TestCase):
    def test_the_same_seed_gives_the_same_pictures_and_another_seed_gives_others(self):
        one, same, other = (r.Lessons(StubTeacher(), some_faces(), seed, torch.device("cpu")).make(5) for seed in (1, 1, 2))
        self.assertTrue(torch.equal(one[0], same[0]) and torch.equal(one[1], same[1]))
        self.assertFalse(torch.equal(one[0], other[0]))

    def test_degrading_keeps_the_size_and_the_range(self):
        x = r.Chance(1, torch.device("cpu")).uniform(0, 1, 24, 3, 96, 96)
        y = r.Camera(r.Chance(2, torch.device("cpu")))(x)
        self.assertEqual(x.shape, y.shape)
        self.assertTrue(0 <= y.min() and y.max() <= 1 and not torch.equal(x, y))

    def test_the_ring_gives_back_chips_with_the_embeddings_of_their_own_block(self):
        ring, chance = r.Ring(12), r.Chance(1, torch.device("cpu"))
        with self.assertRaises(StopIteration):
            ring.counts[1] = 1000  # as if the student had used up all of them
            ring.fill(NumberedLessons(11), os.getppid())
        ring.counts[1] = 0
        chips, embeddings, maps = ring.draw(64, chance, 3)
        self.assertTrue(torch.equal(chips[:, 0, 0, 0].float(), embeddings[:, 0]))
        for m in maps:
            self.assertTrue(torch.equal(m[:, 5, 3, 3], embeddings[:, 0].bfloat16()))
        self.assertGreaterEqual(int(chips[:, 0, 0, 0].min()), 1, "the block that is written next was drawn from")
        self.assertEqual(int(ring.counts[1]), 64)


class Networks(unittest.TestCase):
    def test_training_and_use_are_the_same_function(self):
        pool, x = r.GlobalWeights(4, 6), torch.randn(2, 4, 6, 6)
        torch.testing.assert_close(pool.train()(x), pool.eval()(x))

    def test_a_perfect_imitation_has_no_loss(self):
        e, maps = torch.randn(4, 256), [torch.randn(4, 8, 3, 3) for _ in range(4)]
        self.assertAlmostEqual(r.losses(e, 2 * e, maps, 3 * e, maps)[0].item(), 0, places=5)
        self.assertGreater(r.losses(e.flip(0), e, maps, e, maps)[0].item(), 1)

    def test_a_checkpoint_brings_back_weights_and_progress(self):
        def parts():
            student = r.Student()
            both = torch.nn.ModuleDict({"student": student, "adapters": torch.nn.ModuleList([torch.nn.Conv2d(2, 2, 1)])})
            return both, r.Student(), torch.optim.AdamW(both.parameters())
        with tempfile.TemporaryDirectory() as folder:
            path, progress = Path(folder) / "small.pt", {"step": 7, "seen": 224, "minutes": 1.5}
            both, average, _ = parts()
            r.save_checkpoint(path, both, average, None, progress)
            other, kept, optimiser = parts()
            self.assertEqual(r.load_checkpoint(path, other, kept, optimiser), progress)
            # The small form starts the student from the averaged weights.
            torch.testing.assert_close(other["student"].state_dict(), average.state_dict())
            torch.testing.assert_close(kept.state_dict(), average.state_dict())

    def test_the_onnx_file_computes_what_the_network_computes_and_has_no_prelu(self):
        with tempfile.TemporaryDirectory() as folder:
            checkpoint, onnx = Path(folder) / "a.pt", Path(folder) / "a.onnx"
            torch.manual_seed(1)
            net = r.Student()
            net(torch.randn(8, 3, 96, 96))  # statistics other than the first ones
            torch.save({"average": net.state_dict()}, checkpoint)
            r.export(Namespace(checkpoint=checkpoint, onnx=str(onnx)))
            x = torch.randn(2, 3, 96, 96)
            (found,) = onnxruntime.InferenceSession(str(onnx)).run(None, {"input": x.numpy()})
            torch.testing.assert_close(F.normalize(torch.from_numpy(found)), F.normalize(r.trained(checkpoint)(x)), atol=1e-5, rtol=0)
            operators = {op for op, *_ in OnnxGraph(onnx).nodes}
            self.assertIn("Relu", operators)
            self.assertFalse({op for op in operators if "relu" in op.lower()} - {"Relu"})
            self.assertLessEqual(onnx.stat().st_size, 4_500_000)

    def test_a_face_and_its_mirror_image_have_the_same_embedding(self):
        torch.manual_seed(2)
        net = r.BothWays(r.Student()).eval()
        x = torch.randn(3, 3, 96, 96)
        torch.testing.assert_close(net(x.flip(3)), net(x))
        self.assertGreater((net.student(x.flip(3)) - net.student(x)).abs().max().item(), 1e-3)


class Reader(unittest.TestCase):
    def test_a_file_that_is_cut_off_is_refused(self):
        with self.assertRaisesRegex(ValueError, "cut off"):
            list(fields(b"\x0a\x05abc"))

    @unittest.skipUnless(TEACHER.exists(), "the teacher is not beside the repository")
    def test_the_teachers_head_on_its_own_last_map_gives_its_embedding(self):
        teacher = r.Teacher(TEACHER, torch.float32)
        x = torch.rand(2, 3, 128, 128) * 255
        embedding, last = teacher.graph.run({teacher.graph.input: x}, [teacher.graph.outputs[0], r.Teacher.TAPS[-1]])
        head = teacher.head.run({r.Teacher.TAPS[-1]: last}, teacher.head.outputs[:1])[0]
        torch.testing.assert_close(head, embedding)


if __name__ == "__main__":
    unittest.main()
