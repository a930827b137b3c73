"""Why rows of the report miss their bar: regular expressions of "family: name", and the reason.

Figures are those of a Xeon with AVX-512 and AMX; the first expression that fits counts. A row without
one has not been looked into.
"""

REASONS: dict[str, str] = {
    r"^conv: depthwise.*bwd": "memory: stores read what they overwrite, so 75% of the limit are the "
    "most once results leave the L2 cache; batch 1 is at 72 to 88%, batch 16 at 58 to 70%. Both gradients "
    "in one pass would move 135 MB instead of 154, so 1.6 is what to expect of that, not 2.5",
    r"^depthwise backward$": "1.7 on one thread, 2.1 on two: batch 1 is as near to memory's limit as "
    "stores allow, which read what they overwrite; batch 16 reaches three quarters of that",
    r"^conv: 3->64 7x7": "tiles alone take 1.04 ms of 1.26, padding 0.02, the rest is for results beyond "
    "the L2 cache; patches of 3 channels took 1.5 times as long in tile registers",
    r"^loss: .* 128x10 ": "2.8 of 4.6 us are calls, which a batch of one row takes too",
    r"^loss: ": "the gradient is written with the loss: its exponentials take 4.3 ms, moving the bytes "
    "7.7, and both wait for a row to go from the L1 cache to L2 and back",
    r"^cross entropy$": "torch takes 9 to 14 times as long, but JAX 5 to 6 on one thread: of many classes "
    "pydl needs 12.5 ms, 7.7 of them for moving bytes, and of ten 2.8 of 4.6 us are calls",
    r"^pool: average 2x2.*bwd": "bytes move as fast as those of a + b; stores past the cache save 0.4 ms, "
    "but who reads the gradient next needs 0.5 more",
    r"^pooling$": "2.6 to 3.0 in four runs: the rows of average, which move bytes as fast as a + b does",
    r"^shape: (concatenate|take)": "a plain copy of as many bytes takes as long: 12.6 MB 1.3 to 1.4 ms, "
    "taken as rows 1.4, as NumPy does; 16.8 MB 1.2 to 1.8, concatenated 1.5 to 1.7",
    r"^(elementwise: add|reduce: (sum|max)|shape: ).*": "memory gives no more to one core",
    r"^embedding: .*768$": "a plain copy of as many bytes takes as long, 1.3 to 1.4 ms; measured again on "
    "two threads 1.1",
    r"^sort: sort 1e6": "ten partitions at 6 cycles a vector, of which one port is busy for 5, "
    "and as long in networks",
    r"^gemm: matmul 1x4096": "memory: alone on two cores 1.10 ms, 61 GB/s, NumPy 1.14",
    r"^gemm: matmul 4096x64x64": "67 to 80% of what memory gives to two cores, and a tie with NumPy",
    r"^linear: linear.bias.relu 128x512x10$": "10 columns fill 10 of a register's 16 lanes, so 62% of "
    "the limit are the most; NumPy took 1.04 and 1.10 times as long on one thread, 2.1 on two",
    r"^elementwise, reductions, sort$": "most rows run at 80 to 100% of what memory gives, and the "
    "fastest peer at half of it",
    r"^embedding$": "looking up is a copy of rows at 85% of what memory gives; the gradient, 5.6, writes 154 MB",
    r"^optimizers$": "rows of 10M elements run above the rate of a + b, where torch moves as many bytes, "
    "which leaves 1.0 to 1.2",
    r"^attention: length 128": "vectors work longer than tile registers: exp and splitting take 40% of "
    "the time, the largest scores 12%, packing and writing 25%",
    r"^attention: ": "tile registers with numbers in them slow the core down from 4.0 to 2.8 GHz, where "
    "products alone take 60% of the time, and vectors beside them more than what is left",
    r"^recurrent: LSTM 64": "splitting operands and gates take 35% of the time of so small a layer",
    r"^(generation: token of GPT-2|decoding GPT-2$)": "494 MB of float32 weights a token: adding them "
    "up takes 29 ms on one core, 15 on two, and so do the products; 150 calls of layers take 2.5, the 16 rows of the "
    "prompt 0.6; torch takes 42 and 24, so 2x needs smaller weights",
    r"^training: CNN": "86 to 99% on one thread. On two the gradients of its large convolution take 14 ms "
    "of 20, where forward takes 4.2 of 8.4: cores share each block of tiles of the kernel gradient, "
    "and read what the other has transformed",
    r"^training: MLP": "the limit counts products alone: of 125 us at batch 32 the two large ones took 56, "
    "Adam 32, the batch and Python 19; on two threads of 98 us 47, 19 and 17. Tile registers in the first "
    "product make it 109 -> 118 us on one thread, 127 -> 95 on two",
    r"^gemm bfloat16: matmul 2048": "a third of what tile registers can do, 3.8 TFLOP/s a core: operands "
    "and partial sums come from the L3 cache",
    r"^models: ResNet-50": "150 MB of weights, as they are kept, come from beyond the L2 cache; in "
    "its layers of 49 rows vectors and tile registers tie on two threads",
}
