#!/usr/bin/env python3
"""Turns the recogniser's ONNX file into int8: weights per channel and symmetric, activations as calibrated.

  quantise.py --onnx doorkeep-recogniser.onnx --faces DIR... --out doorkeep-recogniser-int8.onnx

Needs onnxruntime and onnx besides what recogniser.py needs (README.md names the versions). The calibration pictures are
made from the training faces, half as they are and half as a door camera sees them; the same seed gives the same file.
"""
import argparse
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

import recogniser

INPUT = "input"


class Pictures(CalibrationDataReader):
    """Chips as the recogniser takes them, [1, 3, 96, 96] in -1..1, one at a time."""

    def __init__(self, faces, count, seed):
        chance = recogniser.Chance(seed, torch.device("cpu"))
        composer, camera = recogniser.Composer(faces, chance), recogniser.Camera(chance)
        with torch.no_grad():
            plain = shrunk(composer.plain(count // 2))
            seen = camera(shrunk(composer(count - count // 2)))
        self.left = [{INPUT: chip[None]} for chip in (torch.cat([plain, seen]) * 2 - 1).numpy()]

    def get_next(self):
        return self.left.pop(0) if self.left else None


def shrunk(chips):
    size = (recogniser.STUDENT_SIZE, recogniser.STUDENT_SIZE)
    return F.interpolate(chips, size, mode="bilinear", antialias=True, align_corners=False)


def quantise(onnx, faces, out, count, seed):
    """int8 weights with one scale per channel; uint8 activations over the whole range that the calibration pictures
    reach (cutting off the outermost, by percentile, loses more: README.md)."""
    quantize_static(
        str(onnx), str(out), Pictures(faces, count, seed), quant_format=QuantFormat.QDQ, per_channel=True,
        weight_type=QuantType.QInt8, activation_type=QuantType.QUInt8, calibrate_method=CalibrationMethod.MinMax)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnx", required=True, help="what 'recogniser.py export' wrote")
    parser.add_argument("--faces", required=True, nargs="+", help="folders of 112 x 112 aligned crops")
    parser.add_argument("--out", required=True)
    parser.add_argument("--count", type=int, default=256, help="calibration pictures")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    quantise(options.onnx, recogniser.load_faces(options.faces), options.out, options.count, options.seed)
    print(f"{options.out}: {Path(options.out).stat().st_size} bytes")


if __name__ == "__main__":
    sys.exit(main())
