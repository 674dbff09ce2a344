#!/usr/bin/env python3
"""Trains the built-in face detector with five landmarks: distilled from YuNet on composed scenes.

  python3 detector.py train --out DIR --minutes 40 [--resume checkpoint.pt] [--seed 1] [--device cuda]
  python3 detector.py export --checkpoint checkpoint.pt --out doorkeep-detector.onnx
  python3 detector.py evaluate --checkpoint checkpoint.pt --faces ../shared/faces [--count 500]

Needs PyTorch, NumPy, Pillow and ONNX Runtime, which runs the teacher; none of its weights are kept.
Pictures given to `evaluate` are never trained on.
"""
import argparse
import csv
import json
import os
import random
import time

import numpy as np
import onnxruntime
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image

from scenes import Scenes, label_portraits, load_panoramas, load_portraits

STRIDES = (8, 16, 32)
KINDS = ("cls", "obj", "bbox", "kps")
SHARED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "shared")
# Scene sizes (height, width) and how often each comes; a batch of any size has about the same number of pixels.
SIZES = (((160, 160), 3), ((192, 192), 4), ((192, 256), 3), ((256, 256), 2), ((256, 320), 2))

# ---------------------------------------------------------------- student


def unit(inputs, outputs, stride=1):
    """Depthwise 3x3, then 1x1, one normalisation."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
    )


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.body = unit(channels, channels)

    def forward(self, x):
        return F.relu(x + self.body(x))


def stage(inputs, outputs, more):
    return nn.Sequential(unit(inputs, outputs, 2), nn.ReLU(), *[Residual(outputs) for _ in range(more)])


class Student(nn.Module):
    """B, G, R, 0..255, sides a multiple of 32 -> per stride a map [n, 15, H/s, W/s]: score (before the sigmoid),
    box (centre offset, log size), five landmarks (offsets), all in strides as YuNet has them."""

    def __init__(self, stem=16, low=32, high=64):
        super().__init__()
        self.factor = 1 / 128  # no shift: so the padding of a convolution is black, and `fold` can absorb it
        self.stem = nn.Sequential(
            nn.Conv2d(3, stem, 3, 2, 1, bias=False), nn.BatchNorm2d(stem), nn.ReLU(),
            nn.Conv2d(stem, low, 3, 2, 1, bias=False), nn.BatchNorm2d(low), nn.ReLU(),
            Residual(low),
        )  # fmt: skip
        self.stages = nn.ModuleList([stage(low, high, 2), stage(high, high, 2), stage(high, high, 3)])
        self.laterals = nn.ModuleList([unit(high, high) for _ in STRIDES])
        self.heads = nn.ModuleList([nn.Sequential(unit(high, high), nn.ReLU(), nn.Conv2d(high, 15, 1)) for _ in STRIDES])
        for m in self.modules():
            if isinstance(m, nn.Conv2d) and m.bias is None:
                nn.init.kaiming_normal_(m.weight, mode="fan_in", nonlinearity="relu" if m.groups == 1 else "linear")
        for head in self.heads:
            nn.init.normal_(head[-1].weight, std=0.01)
            nn.init.zeros_(head[-1].bias)
            head[-1].bias.data[0] = -4.0  # nearly every cell is background
            head[-1].bias.data[3:5] = 1.0

    def forward(self, x):
        x = self.stem(x if self.factor == 1 else x * self.factor)
        levels = []
        for body in self.stages:
            x = body(x)
            levels.append(x)
        maps, above = [], None
        for i in (2, 1, 0):
            x = levels[i] if above is None else levels[i] + F.interpolate(above, scale_factor=2.0, mode="nearest")
            above = F.relu(self.laterals[i](x))
            maps.insert(0, self.heads[i](above))
        return maps


def fold(student):
    """The same function with every normalisation, and the input's factor, inside the convolution before it."""
    student.eval()
    for sequence in [m for m in student.modules() if isinstance(m, nn.Sequential)]:
        parts = list(sequence)
        for i in range(len(parts) - 1):
            if isinstance(parts[i], nn.Conv2d) and isinstance(parts[i + 1], nn.BatchNorm2d):
                sequence[i] = nn.utils.fusion.fuse_conv_bn_eval(parts[i], parts[i + 1])
                sequence[i + 1] = nn.Identity()
    student.stem[0].weight.data *= student.factor
    student.factor = 1
    return student


# ---------------------------------------------------------------- teacher

class Teacher:
    """A YuNet file: pixels -> maps as the student's, with sqrt(cls * obj) as the score (0 to 1). By ONNX Runtime, one
    thread: PyTorch takes ten times as long for these depthwise convolutions in float32."""

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name

    def __call__(self, x):
        _, _, height, width = x.shape
        out = self.session.run([f"{kind}_{s}" for kind in KINDS for s in STRIDES], {self.input: x.numpy()})
        maps = []
        for i, stride in enumerate(STRIDES):
            cls, obj, boxes, points = (torch.from_numpy(out[3 * kind + i]) for kind in range(4))
            cells = torch.cat([torch.sqrt(cls * obj), boxes, points], 2)
            maps.append(cells.transpose(1, 2).unflatten(2, (height // stride, width // stride)))
        return maps


# ---------------------------------------------------------------- maps -> faces


def decode(maps, threshold, overlap=0.3):
    """Maps of one picture (scores 0 to 1) -> [(box x y w h, landmarks [5, 2], score)], best first, suppressed."""
    found = []
    for stride, level in zip(STRIDES, maps):
        level = level[0] if level.dim() == 4 else level
        rows, columns = torch.nonzero(level[0] >= threshold, as_tuple=True)
        values = level[:, rows, columns].cpu().numpy().T
        for r, c, v in zip(rows.tolist(), columns.tolist(), values):
            w, h = np.exp(v[3:5]) * stride
            x, y = (c + v[1]) * stride - w / 2, (r + v[2]) * stride - h / 2
            points = (v[5:].reshape(5, 2) + [c, r]) * stride
            found.append((np.array([x, y, w, h]), points, float(v[0])))
    found.sort(key=lambda face: -face[2])
    kept = []
    for face in found:
        if all(iou(face[0], other[0]) <= overlap for other in kept):
            kept.append(face)
    return kept


def iou(a, b):
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(0, w) * max(0, h)
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def with_sigmoid(maps):
    return [torch.cat([torch.sigmoid(m[:, :1]), m[:, 1:]], 1) for m in maps]


# ---------------------------------------------------------------- targets and losses


def add_missed(targets, faces):
    """Faces we pasted and the teacher missed become targets too, at the stride for their size. In place."""
    for n, pasted in enumerate(faces):
        if not pasted:
            continue
        known = decode([t[n] for t in targets], 0.45)
        for box, points in pasted:
            size = float(np.sqrt(box[2] * box[3]))
            if size < 13 or any(iou(box, k[0]) > 0.35 for k in known):
                continue
            level = 0 if size < 32 else 1 if size < 75 else 2
            write_face(targets[level][n], STRIDES[level], box, points)


def write_face(target, stride, box, points):
    middle = box[:2] + box[2:] / 2
    _, height, width = target.shape
    reach = max(0.5, 0.18 * float(min(box[2:])) / stride)
    for r in range(max(0, int(middle[1] / stride - reach)), min(height, int(middle[1] / stride + reach) + 1)):
        for c in range(max(0, int(middle[0] / stride - reach)), min(width, int(middle[0] / stride + reach) + 1)):
            centre, size = middle / stride - [c, r], np.log(box[2:] / stride)
            offsets = points / stride - [c, r]
            values = np.concatenate([[0.75], centre, size, offsets.ravel()])
            target[:, r, c] = torch.from_numpy(values).float()


def losses(maps, targets):
    """-> score, box, landmark losses. Per batch each is a mean weighted by the teacher's score."""
    y = torch.cat([m.flatten(2) for m in maps], 2)
    t = torch.cat([m.flatten(2) for m in targets], 2)
    score = t[:, 0]
    near = (score - torch.sigmoid(y[:, 0])).abs()
    quality = near.detach() ** 1.5 * F.binary_cross_entropy_with_logits(y[:, 0], score, reduction="none")
    total = score.sum().clamp(min=4.0)
    loss_score = quality.sum() / total
    n, cell = torch.nonzero(score > 0.25, as_tuple=True)
    if len(n) == 0:
        return loss_score, y.sum() * 0, y.sum() * 0
    weight = score[n, cell] ** 4  # of a face's cells the best one speaks for it
    weight = weight / weight.sum().clamp(min=4.0)
    y, t = y[n, :, cell].float(), t[n, :, cell]
    loss_box = (weight * (distance_iou(y[:, 1:5], t[:, 1:5]) + 2 * F.smooth_l1_loss(y[:, 3:5], t[:, 3:5], reduction="none", beta=0.1).sum(1))).sum()
    width = torch.exp(t[:, 3:5].mean(1, keepdim=True))  # landmarks in faces, so that all sizes count alike
    miss = (y[:, 5:] - t[:, 5:]) / width
    loss_points = (weight * F.smooth_l1_loss(miss, torch.zeros_like(miss), reduction="none", beta=0.03).mean(1)).sum()
    return loss_score, loss_box, loss_points


def distance_iou(y, t):
    """1 - IoU + squared distance of the centres over the squared diagonal of both boxes together."""
    size_y, size_t = torch.exp(y[:, 2:].clamp(-3, 5)), torch.exp(t[:, 2:])
    low = torch.maximum(y[:, :2] - size_y / 2, t[:, :2] - size_t / 2)
    high = torch.minimum(y[:, :2] + size_y / 2, t[:, :2] + size_t / 2)
    both = (high - low).clamp(min=0).prod(1)
    around = torch.maximum(y[:, :2] + size_y / 2, t[:, :2] + size_t / 2) - torch.minimum(y[:, :2] - size_y / 2, t[:, :2] - size_t / 2)
    shared = both / (size_y.prod(1) + size_t.prod(1) - both + 1e-6)
    apart = ((y[:, :2] - t[:, :2]) ** 2).sum(1) / ((around**2).sum(1) + 1e-6)
    return 1 - shared + apart


# ---------------------------------------------------------------- training


class Composer(torch.utils.data.IterableDataset):
    """Batches of (seen pictures, targets), made in worker processes. Each worker has its own seed."""

    def __init__(self, options, rows, pixels):
        self.options, self.rows, self.pixels = options, rows, pixels

    def __iter__(self):
        torch.set_num_threads(1)
        info = torch.utils.data.get_worker_info()
        seed = self.options.seed * 1000 + (info.id if info else 0)
        source = Scenes(load_portraits(self.rows), load_panoramas(self.options.pictures), seed)
        rng, teacher = random.Random(seed), Teacher(self.options.teacher)
        sizes, often = zip(*SIZES)
        while True:
            height, width = rng.choices(sizes, often)[0]
            count = max(4, round(self.pixels / (height * width)))
            composed, seen, faces = source.batch(count, height, width)
            targets = teacher(composed)
            add_missed(targets, faces)
            yield seen.byte(), targets


def portrait_rows(options):
    path = os.path.join(options.out, "portraits.pt")
    if os.path.exists(path):
        return torch.load(path)
    teacher = Teacher(options.teacher)
    rows = label_portraits(options.pictures, lambda pixels: decode(teacher(pixels[None]), 0.6))
    torch.save(rows, path)
    return rows


def train(options):
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    os.makedirs(options.out, exist_ok=True)
    rows = portrait_rows(options)
    device = torch.device(options.device)
    student = Student().to(device, memory_format=torch.channels_last)
    average = Student().to(device)
    average.load_state_dict(student.state_dict())
    decayed = [p for p in student.parameters() if p.dim() > 1]
    others = [p for p in student.parameters() if p.dim() <= 1]
    groups = [dict(params=decayed, weight_decay=options.decay), dict(params=others, weight_decay=0.0)]
    optimiser = torch.optim.AdamW(groups, lr=options.rate, betas=(0.9, 0.99))
    done = dict(images=0, step=0)
    if options.resume:
        state = torch.load(options.resume, map_location=device)
        student.load_state_dict(state["student"])
        average.load_state_dict(state["average"])
        if "optimiser" in state and not options.restart:
            optimiser.load_state_dict(state["optimiser"])
        done = dict(done, images=state["images"])
        options.seed += state["images"]  # other scenes than before
    print(f"{len(rows)} portraits, {sum(p.numel() for p in student.parameters())} parameters", flush=True)
    loader = torch.utils.data.DataLoader(
        Composer(options, rows, options.batch * 192 * 192), batch_size=None, num_workers=options.workers, prefetch_factor=4
    )
    began = reported = saved = time.time()
    sums = np.zeros(4)
    for seen, targets in with_replay(loader, options.replay, random.Random(options.seed)):
        progress = (time.time() - began) / (60 * options.minutes)
        if progress >= 1:
            break
        rate = options.rate * min(1, (done["step"] + 1) / options.warm) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * progress)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        x = seen.to(device).float().contiguous(memory_format=torch.channels_last)
        targets = [t.to(device) for t in targets]
        student.train()
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=options.bf16):
            maps = student(x)
        parts = losses([m.float() for m in maps], targets)
        loss = 2 * parts[0] + parts[1] + options.landmarks * parts[2]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 5.0)
        optimiser.step()
        done["step"] += 1
        done["images"] += len(seen)
        follow(average, student, min(0.998, 1 - 1 / (done["step"] / 5 + 1)))
        sums += [float(p.detach()) for p in parts] + [1]
        now = time.time()
        if now - reported > 30:
            means = dict(zip(("score", "box", "landmarks"), (sums[:3] / sums[3]).round(4).tolist()))
            line = json.dumps(dict(minutes=round((now - began) / 60, 2), images=done["images"], rate=round(float(rate), 6), **means))
            print(line, flush=True)
            with open(os.path.join(options.out, "log.jsonl"), "a") as file:
                file.write(line + "\n")
            reported, sums = now, np.zeros(4)
        if now - saved > 60 * options.save:
            save(options, student, average, optimiser, done)
            saved = now
    save(options, student, average, optimiser, done)


def with_replay(loader, replay, rng, kept=240):
    """Every new batch, then `replay` earlier ones, mirrored or in another light: composing costs more than a step."""
    earlier = []
    for batch in loader:
        yield batch
        earlier.append(batch)
        if len(earlier) > kept:
            earlier.pop(rng.randrange(kept // 2))
        for _ in range(replay if len(earlier) > 20 else 0):
            seen, targets = rng.choice(earlier)
            if rng.random() < 0.6:
                seen, targets = mirrored(seen, targets)
            yield relit(seen), targets


# Channels of a mirrored map: eyes and mouth corners change sides.
MIRROR = [0, 1, 2, 3, 4, 7, 8, 5, 6, 9, 10, 13, 14, 11, 12]


def mirrored(seen, targets):
    out = []
    for t in targets:
        t = t.flip(3)[:, MIRROR]
        t[:, [1, 5, 7, 9, 11, 13]] = 1 - t[:, [1, 5, 7, 9, 11, 13]]
        out.append(t)
    return seen.flip(3), out


def relit(seen):
    gain = 1 + 0.15 * torch.randn(len(seen), 1, 1, 1)
    tint = 1 + 0.05 * torch.randn(len(seen), 3, 1, 1)
    return (seen.float() * gain * tint + 10 * torch.randn(len(seen), 1, 1, 1)).clamp(0, 255).byte()


@torch.no_grad()
def follow(average, student, keep):
    for a, s in zip(average.state_dict().values(), student.state_dict().values()):
        if a.dtype.is_floating_point:
            a.lerp_(s, 1 - keep)
        else:
            a.copy_(s)


def save(options, student, average, optimiser, done):
    path = os.path.join(options.out, "checkpoint.pt")
    state = dict(student=student.state_dict(), average=average.state_dict(), optimiser=optimiser.state_dict(), images=done["images"])
    torch.save(state, path + ".new")
    os.replace(path + ".new", path)


def load_student(path):
    student = Student()
    student.load_state_dict(torch.load(path, map_location="cpu")["average"])
    return student.eval()


# ---------------------------------------------------------------- export and evaluation


def export(options):
    student = load_student(options.checkpoint)
    x = torch.rand(1, 3, 96, 160) * 255
    with torch.no_grad():
        before, after = student(x), fold(student)(x)
    worst = max(float((a - b).abs().max()) for a, b in zip(before, after))
    if not worst < 1e-3:
        raise SystemExit(f"export: folding changed the outputs by {worst}")
    names = [f"faces_{s}" for s in STRIDES]
    axes = {"input": {0: "batch", 2: "height", 3: "width"}, **{name: {0: "batch", 2: f"rows_{s}", 3: f"columns_{s}"} for name, s in zip(names, STRIDES)}}
    torch.onnx.export(
        student, x, options.out, opset_version=13, input_names=["input"], output_names=names, dynamic_axes=axes
    )
    print(f"{options.out}: {os.path.getsize(options.out)} bytes, folding changed the outputs by {worst:.1e}")


def pictures_of(folder, count, seed=0):
    """LFW pictures (one every few, always the same), then the group pictures, then those without a face."""
    with open(os.path.join(folder, "lfw", "yunet_n_landmarks.csv")) as file:
        lfw = sorted({row[0] for row in csv.reader(file)} - {"file"})
    lfw = [p for p in (os.path.join(folder, "lfw", "images", name) for name in lfw) if os.path.exists(p)]
    random.Random(seed).shuffle(lfw)
    listed = lambda name: [os.path.join(folder, name, f) for f in sorted(os.listdir(os.path.join(folder, name))) if f[-3:] in ("jpg", "png")]
    return {"lfw": lfw[:count], "multi": listed("multi"), "nonface": listed("nonface")}


def tensor_of(path, longest=320):
    """-> [1, 3, H, W] in multiples of 32, black right and bottom, and scale = tensor / picture."""
    picture = Image.open(path).convert("RGB")
    scale = min(1, longest / max(picture.size))
    size = [max(1, round(side * scale)) for side in picture.size]
    if scale < 1:
        picture = picture.resize(size, Image.BILINEAR)
    pixels = torch.from_numpy(np.asarray(picture)[:, :, ::-1].transpose(2, 0, 1).copy()).float()
    up = lambda side: -(-side // 32) * 32
    return F.pad(pixels, (0, up(size[0]) - size[0], 0, up(size[1]) - size[1]))[None], scale


@torch.no_grad()
def evaluate(options):
    torch.set_num_threads(options.threads)
    teacher, student = Teacher(options.teacher), load_student(options.checkpoint)
    for name, paths in pictures_of(options.faces, options.count).items():
        tensors = [tensor_of(path) for path in paths]
        truth = [decode(teacher(t), 0.6) for t, _ in tensors]
        found = [decode(with_sigmoid(student(t)), 0.05) for t, _ in tensors]
        report(name, truth, found)
        if name == "multi":
            with open(os.path.join(options.faces, "multi", "annotations.json")) as file:
                noses = {picture["file"]: picture["noses"] for picture in json.load(file)["images"]}
            scaled = [np.array(noses[os.path.basename(p)]).reshape(-1, 2) * s for p, (_, s) in zip(paths, tensors)]
            for threshold in (0.4, 0.5, 0.6):
                print(f"  noses at {threshold}: the teacher {noses_found(scaled, truth, 0.6)}, the student {noses_found(scaled, found, threshold)}")


def report(name, truth, found):
    """Recall of the teacher's faces and other boxes, at several thresholds; landmark distance at 0.6."""
    wanted = sum(len(faces) for faces in truth)
    line = [f"{name}: {len(truth)} pictures, {wanted} faces of the teacher's;"]
    for threshold in (0.3, 0.4, 0.5, 0.6):
        hits, extra = 0, 0
        for faces, boxes in zip(truth, found):
            boxes = [b for b in boxes if b[2] >= threshold]
            hits += sum(any(iou(f[0], b[0]) >= 0.5 for b in boxes) for f in faces)
            extra += sum(all(iou(f[0], b[0]) < 0.3 for f in faces) for b in boxes)
        line.append(f"at {threshold}: {hits} found, {extra} others;")
    errors = []
    for faces, boxes in zip(truth, found):
        for f in faces:
            near = [b for b in boxes if b[2] >= 0.4 and iou(f[0], b[0]) >= 0.5]
            if near:
                errors.append(np.linalg.norm(near[0][1] - f[1], axis=1).mean() / np.linalg.norm(f[1][0] - f[1][1]))
    if errors:
        line.append(f"landmarks off by {100 * np.median(errors):.2f} % (median), {100 * np.quantile(errors, 0.9):.2f} % (p90)")
    print(" ".join(line), flush=True)


def noses_found(noses, found, threshold):
    """'inside / all, extra': annotated noses inside a box, and boxes without a nose."""
    inside = extra = 0
    for points, faces in zip(noses, found):
        boxes = [f[0] for f in faces if f[2] >= threshold]
        holds = lambda b, p: b[0] <= p[0] <= b[0] + b[2] and b[1] <= p[1] <= b[1] + b[3]
        inside += sum(any(holds(b, p) for b in boxes) for p in points)
        extra += sum(not any(holds(b, p) for p in points) for b in boxes)
    return f"{inside} / {sum(map(len, noses))}, {extra} extra"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for command in ("train", "export", "evaluate"):
        p = commands.add_parser(command)
        p.add_argument("--teacher", default=os.path.join(SHARED, "models", "yunet_n_dynamic.onnx"))
        p.add_argument("--threads", type=int, default=1)
        if command == "train":
            p.add_argument("--pictures", default=os.path.join(SHARED, "train-faces"))
            p.add_argument("--out", required=True)
            p.add_argument("--minutes", type=float, required=True)
            p.add_argument("--resume")
            p.add_argument("--restart", action="store_true", help="with --resume: keep the weights, forget the optimiser")
            p.add_argument("--seed", type=int, default=1)
            p.add_argument("--batch", type=int, default=32, help="in pictures of 192x192")
            p.add_argument("--rate", type=float, default=3e-3)
            p.add_argument("--warm", type=int, default=150, help="steps")
            p.add_argument("--decay", type=float, default=0.01)
            p.add_argument("--landmarks", type=float, default=4.0, help="weight of the landmarks' loss")
            p.add_argument("--workers", type=int, default=1)
            p.add_argument("--save", type=float, default=2.0, help="minutes")
            p.add_argument("--replay", type=int, default=2, help="earlier batches after each new one")
            p.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=True)
            p.add_argument("--device", default="cpu")
        else:
            p.add_argument("--checkpoint", required=True)
        if command == "export":
            p.add_argument("--out", required=True)
        if command == "evaluate":
            p.add_argument("--faces", default=os.path.join(SHARED, "faces"))
            p.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    {"train": train, "export": export, "evaluate": evaluate}[options.command](options)


if __name__ == "__main__":
    main()
