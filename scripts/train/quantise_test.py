"""python3 -m unittest discover -s scripts/train -p '*_test.py'   (skipped without onnxruntime and onnx)"""
import tempfile
import unittest
from argparse import Namespace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import recogniser as r

try:
    import onnx
    import onnxruntime

    from quantise import Pictures, quantise
except ImportError as absent:
    raise unittest.SkipTest(f"{absent.name} is not installed")


def some_faces(seed, count=12):
    """Smooth random pictures in the size of the training crops."""
    small = r.Chance(seed, torch.device("cpu")).uniform(0, 1, count, 3, 14, 14)
    return (F.interpolate(small, (112, 112), mode="bilinear", align_corners=False) * 255).to(torch.uint8)


class Quantised(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.float32, cls.int8 = (Path(cls.folder.name) / name for name in ("a.onnx", "b.onnx"))
        torch.manual_seed(1)
        net = r.Student()
        net(torch.randn(8, 3, 96, 96))  # statistics other than the first ones
        checkpoint = Path(cls.folder.name) / "a.pt"
        torch.save({"average": net.state_dict()}, checkpoint)
        r.export(Namespace(checkpoint=checkpoint, onnx=str(cls.float32)))
        quantise(cls.float32, some_faces(2), cls.int8, 16, 5)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_it_is_a_third_of_the_float_file_at_most(self):
        self.assertLessEqual(self.int8.stat().st_size, 1_300_000)

    def test_it_finds_pictures_that_it_was_not_calibrated_with_as_the_float_file_does(self):
        pictures = Pictures(some_faces(7), 16, 9)
        x = np.concatenate([each["input"] for each in iter(pictures.get_next, None)])
        told, mine = (torch.from_numpy(self.run_file(file, x)) for file in (self.float32, self.int8))
        self.assertEqual(mine.shape, (16, 256))
        self.assertGreater(F.cosine_similarity(told, mine).min().item(), 0.98)
        self.assertFalse(torch.equal(told, mine))

    def test_it_is_calibrated_with_pictures_in_the_range_that_the_recogniser_takes(self):
        x = np.concatenate([each["input"] for each in iter(Pictures(some_faces(2), 9, 5).get_next, None)])
        self.assertEqual((x.shape, x.dtype), ((9, 3, 96, 96), np.float32))
        self.assertTrue(-1 <= x.min() < -0.5 and 0.5 < x.max() <= 1)

    def test_every_weight_of_a_convolution_is_int8_with_a_scale_for_each_channel(self):
        graph = onnx.load(self.int8).graph
        held = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
        made = {node.output[0]: node for node in graph.node if node.op_type == "DequantizeLinear"}
        convolutions = [node for node in graph.node if node.op_type == "Conv"]
        self.assertEqual(len(convolutions), 13)
        for node in convolutions:
            weight, scale, zero = (held[name] for name in made[node.input[1]].input)
            self.assertEqual((weight.dtype, scale.shape, zero.any()), (np.int8, weight.shape[:1], False))
        # The operators that ONNX Runtime has for every processor; ReLU is in the ranges. The last row: both ways.
        self.assertEqual(
            {node.op_type for node in graph.node},
            {"Conv", "Add", "Flatten", "QuantizeLinear", "DequantizeLinear"}
            | {"Slice", "Concat", "Constant", "Reshape", "ReduceSum"})

    def test_the_same_seed_gives_the_same_file_and_another_seed_another(self):
        again, other = (Path(self.folder.name) / name for name in ("c.onnx", "d.onnx"))
        quantise(self.float32, some_faces(2), again, 16, 5)
        quantise(self.float32, some_faces(2), other, 16, 6)
        self.assertEqual(again.read_bytes(), self.int8.read_bytes())
        self.assertNotEqual(other.read_bytes(), self.int8.read_bytes())

    @staticmethod
    def run_file(file, x):
        return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, {"input": x})[0]


if __name__ == "__main__":
    unittest.main()
