"""Times whole classic steps in the pattern that Keras tutorials teach, train_on_batch; prints one line of JSON.

    python3 profiling/compare_keras.py --device cpu

Two compiled models: the discriminator, trained on a batch of real and of generated pictures, and the two networks in a
row with the discriminator frozen. Noise and batches come from numpy, losses go back to Python in every step.
"""
import os
import sys

from peer_timing import give_up, parse_arguments, print_result, time_steps

OPTIONS = parse_arguments(__doc__.splitlines()[0], ("train_on_batch",))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import numpy
    import tensorflow as tf
except ImportError as error:
    give_up(f"{error.name} is missing; pip install tensorflow")
from tensorflow import keras


def build_generator():
    layers = [keras.Input((100,))]
    layers += [keras.layers.Dense(width, activation="relu") for width in (128, 256, 512, 1024)]
    return keras.Sequential([*layers, keras.layers.Dense(784, activation="tanh"), keras.layers.Reshape((28, 28, 1))])


def build_discriminator():
    return keras.Sequential([
        keras.Input((28, 28, 1)), keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
        keras.layers.Conv2D(64, 3, padding="same", activation="relu"), keras.layers.Flatten(),
        keras.layers.Dense(128, activation="relu"), keras.layers.Dense(1, dtype="float32")])


def main():
    options = OPTIONS
    if options.preset != "classic":
        give_up("no Keras tutorial has this recipe")
    if options.device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    elif not tf.config.list_physical_devices("GPU"):
        give_up("TensorFlow sees no GPU")
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.experimental.enable_tensor_float_32_execution(options.precision == "tf32")
    if options.precision == "bf16":
        keras.mixed_precision.set_global_policy("mixed_bfloat16")

    def adam():
        return keras.optimizers.Adam(1e-4, 0.9, 0.999, 1e-7)

    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    generator, discriminator = build_generator(), build_discriminator()
    discriminator.compile(adam(), loss)
    discriminator.trainable = False
    both = keras.Sequential([keras.Input((100,)), generator, discriminator])
    both.compile(adam(), loss)
    discriminator.trainable = True

    random, batch = numpy.random.default_rng(options.seed), options.batch
    pictures = (random.integers(0, 256, (60000, 28, 28, 1)) / 127.5 - 1).astype(numpy.float32)
    ones, zeros = numpy.ones((batch, 1), numpy.float32), numpy.zeros((batch, 1), numpy.float32)

    def noise():
        return random.standard_normal((batch, 100), dtype=numpy.float32)

    def step():
        real = pictures[random.integers(0, len(pictures), batch)]
        discriminator.train_on_batch(real, ones)
        discriminator.train_on_batch(generator.predict_on_batch(noise()), zeros)
        discriminator.trainable = False
        both.train_on_batch(noise(), ones)
        discriminator.trainable = True

    windows = time_steps(step, lambda: None, options.seconds)
    print_result(options, windows, {"tensorflow": tf.__version__, "keras": keras.__version__})


if __name__ == "__main__":
    main()
