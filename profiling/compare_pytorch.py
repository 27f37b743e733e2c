"""Times whole training steps of torch_gan.py, written in the ways that its users write them; prints one line of JSON.

    python3 profiling/compare_pytorch.py --variant tuned --preset classic --precision bf16 --device cuda

  eager     torch_gan.py as it stands: one batch of real and fake pictures, nothing waits for a number
  tutorial  as in PyTorch's DCGAN tutorial: real and fake apart, binary_cross_entropy, .item() in every step; classic only
  tuned     eager with channels-last networks, and fused Adam where the device has it
  graph     tuned, the whole step in one CUDA graph
  compile   tuned, both networks through torch.compile (on a GPU mode="max-autotune", which captures graphs)
"""
import ctypes
import os
import sys

try:
    import torch
except ImportError:
    sys.exit("compare_pytorch: PyTorch is missing; on Debian: apt-get install python3-torch libopenblas0-openmp")
import torch.nn.functional as F

from peer_timing import give_up, parse_arguments, print_result, time_steps
from torch_conv_steady import ConvSteady
from torch_gan import Gan, load_labels, load_pictures
from torch_vae import Vae

PICTURES = "/usr/share/datasets/fashion-mnist"


def blas_in_use():
    """The BLAS loaded in this process, and the cores it was tuned for. It decides the speed of the dense layers: on
    Debian the reference BLAS makes a classic step about 13 times slower than libopenblas0-openmp, and
    libopenblas0-pthread, whose threads fight with PyTorch's own, 1.6 times."""
    with open("/proc/self/maps") as file:
        libraries = {line.split()[-1] for line in file if ".so" in line}
    for path in sorted(libraries):
        if "libopenblas" in path:
            library = ctypes.CDLL(path)
            library.openblas_get_config.restype = ctypes.c_char_p
            library.openblas_get_corename.restype = ctypes.c_char_p
            version = " ".join(library.openblas_get_config().decode().split()[:2])
            threading = {1: "pthread", 2: "openmp"}.get(library.openblas_get_parallel(), "serial")
            return f"{version} {threading} {library.openblas_get_corename().decode()}"
    if any("libmkl" in path for path in libraries):
        return "MKL"
    return "reference" if any("libblas" in path for path in libraries) else "built in"


def tutorial_step(gan):
    """One classic step in the manner of https://pytorch.org/tutorials/beginner/dcgan_faces_tutorial.html."""
    ones = torch.ones(gan.batch, 1, device=gan.device)
    zeros = torch.zeros(gan.batch, 1, device=gan.device)
    bce = F.binary_cross_entropy_with_logits

    def step(indices):
        gan.discriminator.zero_grad()
        with gan._autocast():
            real_loss = bce(gan.discriminator(gan._reals(indices)).float(), ones)
        real_loss.backward()
        with gan._autocast():
            fake = gan.generator(gan._noise())
            fake_loss = bce(gan.discriminator(fake.detach()).float(), zeros)
        fake_loss.backward()
        gan.d_optimizer.step()
        gan.generator.zero_grad()
        with gan._autocast():
            g_loss = bce(gan.discriminator(fake).float(), ones)
        g_loss.backward()
        gan.g_optimizer.step()
        return (real_loss + fake_loss).item(), g_loss.item()

    return step


def captured(step):
    """The step as a CUDA graph: everything in it, its random numbers too, is drawn on the device."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(5):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def main():
    options = parse_arguments(__doc__.splitlines()[0], ("eager", "tutorial", "tuned", "graph", "compile"))
    on_gpu = options.device == "cuda"
    if on_gpu and not torch.cuda.is_available():
        give_up("PyTorch sees no GPU")
    if options.variant == "graph" and not on_gpu:
        give_up("CUDA graphs need a GPU")
    if options.variant == "compile" and not hasattr(torch, "compile"):
        give_up(f"PyTorch {torch.__version__} has no torch.compile")
    if options.variant == "tutorial" and options.preset != "classic":
        give_up("no tutorial has this recipe")
    if options.precision == "tf32":
        if not on_gpu:
            give_up("TF32 needs a GPU")
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    else:
        torch.backends.cudnn.allow_tf32 = False  # PyTorch allows it by itself; our fp32 is fp32
    torch.backends.cudnn.benchmark = True
    torch.set_num_threads(options.threads)

    pictures = (load_pictures(PICTURES) if os.path.isdir(PICTURES)
                else torch.randint(0, 256, (60000, 1, 28, 28), dtype=torch.uint8))
    tuned = options.variant in ("tuned", "graph", "compile")
    adam = {"fused": True} if tuned and on_gpu else {}
    if options.variant == "graph":
        adam["capturable"] = True
    settings = (pictures, options.batch, options.seed, options.precision, options.device)
    is_vae = options.preset == "vae"
    if is_vae:
        model = Vae(*settings, channels_last=tuned, **adam)
    elif options.preset == "conv-steady":
        labels = load_labels(PICTURES) if os.path.isdir(PICTURES) else torch.randint(0, 10, (60000,))
        model = ConvSteady(pictures, labels, *settings[1:], channels_last=tuned, **adam)
    else:
        model = Gan(options.preset, *settings, channels_last=tuned, **adam)
    if options.variant == "compile":
        mode = {"mode": "max-autotune"} if on_gpu else {}
        if is_vae:
            model.networks = torch.nn.ModuleList(torch.compile(network, **mode) for network in model.networks)
        else:
            model.generator = torch.compile(model.generator, **mode)
            model.discriminator = torch.compile(model.discriminator, **mode)

    def draw():
        return torch.randint(0, len(pictures), (options.batch,), device=model.device)

    one = (model.step if is_vae else tutorial_step(model) if options.variant == "tutorial"
           else lambda indices: model.step(indices, draw()))
    step = captured(lambda: one(draw())) if options.variant == "graph" else lambda: one(draw())
    synchronize = torch.cuda.synchronize if on_gpu else lambda: None
    try:
        windows = time_steps(step, synchronize, options.seconds)
    except RuntimeError as error:
        give_up(f"{type(error).__name__}: {str(error).strip().splitlines()[0][:150]}")
    versions = {"torch": torch.__version__, "blas": blas_in_use()}
    if on_gpu:
        versions.update(gpu=torch.cuda.get_device_name(), cuda=torch.version.cuda, cudnn=torch.backends.cudnn.version())
    print_result(options, windows, versions)


if __name__ == "__main__":
    main()
