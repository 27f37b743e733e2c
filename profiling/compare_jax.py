"""Times whole training steps of the presets in JAX: jit of a step, or of lax.scan over 20; prints one line of JSON.

    python3 profiling/compare_jax.py --variant jit --preset steady --device cpu

Written as a good user of JAX would: NHWC, parameters and moments donated, the data set and every draw on the device, no
number leaves it within a call. XLA runs loops on a CPU with one thread, where jit of one step is the fairer peer. bf16: weights and pictures are cast for the networks; losses, Adam and masters are f32.
"""
import functools
import os
import sys

from peer_timing import give_up, parse_arguments, print_result, time_steps

OPTIONS = parse_arguments(__doc__.splitlines()[0], ("scan", "jit"))
# Before JAX begins: XLA has no other switch for its threads than the processors it may use.
if OPTIONS.device == "cpu" and hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:OPTIONS.threads])
os.environ["JAX_PLATFORMS"] = OPTIONS.device
try:
    import jax
except ImportError:
    sys.exit("compare_jax: JAX is missing; pip install jax")
import jax.numpy as jnp
from jax import lax

WIDTHS = (100, 128, 256, 512, 1024, 784)
STEPS = 20 if OPTIONS.variant == "scan" else 1
# learning rate, betas, epsilon, slope of the discriminator's activations, gamma of R1 and R2, decay of the average
RECIPES = {"classic": (1e-4, (0.9, 0.999), 1e-7, 0.0, 0.0, 0.99), "steady": (5e-4, (0.0, 0.99), 1e-7, 0.2, 0.5, 0.99)}


def glorot(key, shape, fans):
    limit = (6 / sum(fans)) ** 0.5
    return {"w": jax.random.uniform(key, shape, minval=-limit, maxval=limit), "b": jnp.zeros(shape[-1])}


def networks(key):
    keys = iter(jax.random.split(key, 16))
    generator = [glorot(next(keys), (i, o), (i, o)) for i, o in zip(WIDTHS, WIDTHS[1:])]
    convolutions = [glorot(next(keys), (3, 3, i, o), (9 * i, 9 * o)) for i, o in ((1, 32), (32, 64))]
    dense = [glorot(next(keys), (i, o), (i, o)) for i, o in ((64 * 784, 128), (128, 1))]
    return generator, {"convolutions": convolutions, "dense": dense}


def generate(layers, z, dtype):
    x = z.astype(dtype)
    for layer in layers[:-1]:
        x = jax.nn.relu(x @ layer["w"].astype(dtype) + layer["b"].astype(dtype))
    x = jnp.tanh(x @ layers[-1]["w"].astype(dtype) + layers[-1]["b"].astype(dtype))
    return x.reshape(-1, 28, 28, 1)


def judge(layers, x, slope, dtype):
    def act(y):
        return jnp.where(y > 0, y, slope * y)

    x = x.astype(dtype)
    for layer in layers["convolutions"]:
        x = lax.conv_general_dilated(x, layer["w"].astype(dtype), (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = act(x + layer["b"].astype(dtype))
    x = x.reshape(len(x), -1)
    x = act(x @ layers["dense"][0]["w"].astype(dtype) + layers["dense"][0]["b"].astype(dtype))
    return (x @ layers["dense"][1]["w"].astype(dtype) + layers["dense"][1]["b"].astype(dtype)).astype(jnp.float32)


def adam(parameters, gradients, state, rate, betas, epsilon):
    count, m, v = state
    count += 1
    m = jax.tree.map(lambda a, g: betas[0] * a + (1 - betas[0]) * g, m, gradients)
    v = jax.tree.map(lambda a, g: betas[1] * a + (1 - betas[1]) * g * g, v, gradients)
    m_scale, v_scale = 1 / (1 - betas[0] ** count), 1 / (1 - betas[1] ** count)
    parameters = jax.tree.map(lambda w, a, b: w - rate * m_scale * a / (jnp.sqrt(b * v_scale) + epsilon), parameters, m, v)
    return parameters, (count, m, v)


def make_step(preset, batch, dtype):
    rate, betas, epsilon, slope, gamma, decay = RECIPES[preset]
    softplus = jax.nn.softplus

    def reals(pictures, key):
        chosen = pictures[jax.random.randint(key, (batch,), 0, len(pictures))]
        return chosen.astype(jnp.float32) / 127.5 - 1

    def d_loss(d, g, pictures, key):
        real_key, z_key = jax.random.split(key)
        fake = generate(g, jax.random.normal(z_key, (batch, WIDTHS[0])), dtype).astype(jnp.float32)
        both = jnp.concatenate([reals(pictures, real_key), lax.stop_gradient(fake)])
        if gamma == 0:
            real_logits, fake_logits = jnp.split(judge(d, both, slope, dtype), 2)
            return 0.5 * (softplus(-real_logits).mean() + softplus(fake_logits).mean())
        logits, pull = jax.vjp(lambda x: judge(d, x, slope, dtype), both)
        real_logits, fake_logits = jnp.split(logits, 2)
        penalty = jnp.square(pull(jnp.ones_like(logits))[0]).sum() / batch
        return softplus(fake_logits - real_logits).mean() + 0.5 * gamma * penalty

    def g_loss(g, d, pictures, key):
        real_key, z_key = jax.random.split(key)
        logits = judge(d, generate(g, jax.random.normal(z_key, (batch, WIDTHS[0])), dtype), slope, dtype)
        if gamma == 0:
            return softplus(-logits).mean()
        return softplus(judge(d, reals(pictures, real_key), slope, dtype) - logits).mean()

    def step(pictures, state, key):
        g, d, average, g_state, d_state = state
        d_key, g_key = jax.random.split(key)
        d_value, gradients = jax.value_and_grad(d_loss)(d, g, pictures, d_key)
        d, d_state = adam(d, gradients, d_state, rate, betas, epsilon)
        g_value, gradients = jax.value_and_grad(g_loss)(g, d, pictures, g_key)
        g, g_state = adam(g, gradients, g_state, rate, betas, epsilon)
        average = jax.tree.map(lambda a, w: decay * a + (1 - decay) * w, average, g)
        return (g, d, average, g_state, d_state), (d_value, g_value)

    return step


def main():
    options = OPTIONS
    if options.preset not in RECIPES:
        give_up(f"the preset {options.preset} is not written in JAX")
    try:
        device = jax.devices()[0]
    except RuntimeError as error:
        give_up(f"JAX cannot use {options.device}: {str(error).splitlines()[0][:120]}")
    precision = {"fp32": "highest", "tf32": "high" if options.device == "cuda" else "highest", "bf16": "default"}
    jax.config.update("jax_default_matmul_precision", precision[options.precision])
    step = make_step(options.preset, options.batch, jnp.bfloat16 if options.precision == "bf16" else jnp.float32)
    key = jax.random.key(options.seed)
    pictures = jax.random.randint(key, (60000, 28, 28, 1), 0, 256).astype(jnp.uint8)
    g, d = networks(key)

    def moments(parameters):
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        return jnp.float32(0), zeros, jax.tree.map(jnp.zeros_like, parameters)

    @functools.partial(jax.jit, donate_argnums=(1,))
    def steps(pictures, state, key):
        return lax.scan(lambda carried, one: step(pictures, carried, one), state, jax.random.split(key, STEPS))

    held = {"state": (g, d, jax.tree.map(jnp.copy, g), moments(g), moments(d)), "key": key}

    def call():
        held["key"], now = jax.random.split(held["key"])
        held["state"], held["losses"] = steps(pictures, held["state"], now)

    windows = time_steps(call, lambda: jax.block_until_ready(held["losses"]), options.seconds, STEPS)
    if not jnp.isfinite(held["losses"][0]).all():
        give_up("the losses are not finite")
    print_result(options, windows, {"jax": jax.__version__, "device": device.device_kind, "steps in a call": STEPS})


if __name__ == "__main__":
    main()
