"""Why rows of the report miss their bar: regular expressions of "family: name", and the reason.

Figures are those of a Xeon with AVX-512 and AMX; the first expression that fits counts. A row without
one has not been looked into.
"""

REASONS: dict[str, str] = {
    r"^conv: depthwise.*bwd": "memory: stores read what they overwrite, so 75% of the limit are the "
    "most once results leave the L2 cache; batch 1 is at 72 to 88%, batch 16 at 55%",
    r"^depthwise backward$": "2.2 on one thread, 2.4 on two: batch 1 is as near to memory's limit as "
    "stores allow, which read what they overwrite; batch 16 reaches three quarters of that",
    r"^conv: 3->64 7x7": "tiles alone take 1.04 ms of 1.26, padding 0.02, the rest is for results beyond "
    "the L2 cache; patches of 3 channels took 1.5 times as long in tile registers",
    r"^loss: .* 128x10 ": "2.8 of 4.6 us are calls, which a batch of one row takes too",
    r"^loss: ": "a gradient given later is a second pass over the logits: 12 bytes and two exponentials "
    "each, 14.4 ms; moving the bytes alone takes 12.5",
    r"^cross entropy$": "torch takes 9 to 10 times as long, but JAX 5, and pydl is at 82 to 85% of the "
    "limit of one row and more than half calls in the other",
    r"^pool: average 2x2.*bwd": "stores read what they overwrite: two thirds of the limit are the most; "
    "past the cache they take 0.4 ms less, but who reads them next 0.5 more",
    r"^pooling$": "2.6 on one thread, 3.4 on two: gradients below 32 MB stay in the L3 cache, see average",
    r"^(elementwise: add|reduce: (sum|max)|shape: ).*": "memory gives no more to one core",
    r"^embedding: .*768$": "memory gives no more to one core",
    r"^sort: sort 1e6": "ten partitions at 6 cycles a vector, of which one port is busy for 5, "
    "and as long in networks",
    r"^gemm: matmul 1x4096": "memory: alone on two cores 1.10 ms, 61 GB/s, NumPy 1.14",
    r"^gemm: matmul 4096x64x64": "80% of what memory gives to two cores",
    r"^linear: ": "measured beside torch alone on two threads 1.3 to 2.7: threads of OpenBLAS and "
    "XLA still spin when pydl's turn comes",
    r"^elementwise, reductions, sort$": "most rows run at 80 to 100% of what memory gives, and the "
    "fastest peer at half of it",
    r"^embedding$": "looking up is a copy of rows at 85% of what memory gives; the gradient, 5.6, writes 154 MB",
    r"^optimizers$": "rows of 10M elements run above the rate of a + b, where torch moves as many bytes, "
    "which leaves 1.0 to 1.2",
    r"^attention$": "1.76 on one thread, 1.72 on two: products of the gradient, exp and splitting operands "
    "into parts wait for each other, about 60, 10 and 30% of the time",
    r"^attention: ": "tile registers are busy for about 60% of the time",
    r"^recurrent: LSTM 64": "splitting operands and gates take 35% of the time of so small a layer",
    r"^generation: token of GPT-2": "494 MB of float32 weights a token: adding them up takes 29 ms on "
    "one core, 15 on two; pydl 32 and 19, torch 42 and 24, so 2x needs smaller weights",
    r"^training: CNN": "its three large 3x3 convolutions take 60%, more than half of it for transforms, "
    "which asking for memory ahead did not make faster; 7% is not kernels",
    r"^layers: MLP": "the first product is most of it: of 32 samples 30 us, 85% of what vectors can do; "
    "of 128 91 us in tile registers, whose products of parts would take 43 at 3.8 TFLOP/s",
    r"^gemm bfloat16: matmul 2048": "a third of what tile registers can do, 3.8 TFLOP/s a core: operands "
    "and partial sums come from the L3 cache",
    r"^models: ResNet-50": "150 MB of weights, as they are kept, come from beyond the L2 cache; in "
    "its layers of 49 rows vectors and tile registers tie on two threads",
}
