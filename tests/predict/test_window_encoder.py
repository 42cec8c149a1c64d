import pickle

import numpy as np
import onnxruntime
import pytest
import torch

from raysed.config.encoder import EmbeddingFusion, Encoder, FineTuning
from raysed.data.encoders.clip_rows import embed_clips
from raysed.data.encoders.opening import find_encoder, open_encoder
from raysed.data.features.mel import log_mel_db_torch
from raysed.data.stream import Heard, blocks
from raysed.data.windows import windows
from raysed.interface.waveform_detector import WaveformDetector
from raysed.model.network import make_network
from raysed.predict.detector import load_detector
from raysed.predict.export import export_onnx
from raysed.predict.window_encoder import window_encoder
from raysed.storage.folder import Folder
from raysed.training.checkpoint import Predictor, load_checkpoint, save_predictor
from raysed.training.tuned_network import TunedNetwork, audio_of, with_gradients
from tests.data.encoders.small import Loudness, Quarters, beats_checkpoint, stored, write_script
from tests.predict.small import FEATURES, MODEL, NORMALISER, bursts, call, write
from tests.training.tiny import CLASSES, trial

HEARD = FEATURES.model_copy(update={"sample_rate_hz": 16000, "duration_s": 1.0})


@pytest.fixture
def fused(tmp_path):
    """A checkpoint whose networks take rows at 16 kHz beside mels at 8 kHz; and the encoder's file."""
    path = write_script(tmp_path / "encoder.pt", Quarters)
    found = find_encoder(
        Encoder(kind="torchscript", path=path, sample_rate_hz=16000, hop=400), None
    )
    model = MODEL.model_copy(update={"embedding": EmbeddingFusion(fusion="interpolate", width=4)})
    networks = {}
    for name in ("student", "teacher"):
        network = make_network(model, len(CLASSES), torch.Generator().manual_seed(3)).eval()
        with torch.no_grad():
            network.strong.weight.mul_(150)
        networks[name] = network
    predictor = Predictor(
        **networks,
        normaliser=NORMALISER,
        trial=trial(model=model),
        features=FEATURES,
        classes=CLASSES,
        epoch=3,
        encoder=found.facts,
    )
    save_predictor(Folder(str(tmp_path)), "best-dry.pt", predictor)
    return tmp_path


def test_audio_of_any_length_is_predicted(fused):
    short, long = bursts(0.3), bursts(9.7)
    files = [write(fused / f"{n}.wav", wave) for n, wave in enumerate((short, long))]
    out = fused / "out"
    code, said = call(
        fused,
        *files,
        encoder=str(fused / "encoder.pt"),
        scores=str(out),
        out=str(fused / "events.tsv"),
    )
    assert code == 0, said
    table = np.loadtxt(out / "1.tsv", skiprows=1)
    assert table[-1, 1] == pytest.approx(9.7, abs=0.03) and np.isfinite(table).all()
    assert table[:, 2].std() > 1e-3


def test_a_window_has_the_rows_of_its_own_samples(fused):
    detector = load_detector(
        str(fused / "best-dry.pt"), device="cpu", encoder=str(fused / "encoder.pt")
    )
    wave = bursts(2.0)
    given = detector.window_input(wave)
    assert given.rows_RE is not None and given.rows_RE.shape == (80, 4)
    # At twice the rate a row sums twice as many samples.
    expected = np.abs(wave).reshape(80, 200).sum(1)
    assert np.corrcoef(given.rows_RE.sum(1).astype(float), expected)[0, 1] > 0.99
    silent = given._replace(rows_RE=0 * given.rows_RE)
    assert np.abs(detector.scores([given]).astype(float) - detector.scores([silent])).max() > 1e-3
    again = pickle.loads(pickle.dumps(detector))  # noqa: S301 - as Ray sends it
    np.testing.assert_array_equal(
        again.scores([again.window_input(wave)]), detector.scores([given])
    )
    path = write(fused / "a.wav", bursts(5.0))
    starts = [start for start, _ in windows(blocks(path, 8000, Heard()), detector.grid)]
    assert len(starts) > 3


def test_the_export_takes_rows_beside_the_mel(fused):
    detector = load_detector(
        str(fused / "best-dry.pt"), device="cpu", encoder=str(fused / "encoder.pt")
    )
    parity = export_onnx(detector, fused / "model.onnx")
    assert parity.ok and parity.highest - parity.lowest > 0.1
    session = onnxruntime.InferenceSession(str(fused / "model.onnx"))
    assert [(each.name, each.shape[1:]) for each in session.get_inputs()] == [
        ("mel", [314, 8]),
        ("frames", []),
        ("embedding", [80, 4]),
    ]
    assert "sha256" in session.get_modelmeta().custom_metadata_map["encoder"]


def test_the_wrong_encoder_is_refused_before_work(fused, tmp_path):
    features = FEATURES
    _, about = load_checkpoint(Folder(str(fused)), "best-dry.pt")
    assert str(tmp_path) not in str(about["encoder"])
    with pytest.raises(
        ValueError, match=r"embeddings of an encoder \(torchscript.*give its file with --encoder"
    ):
        load_detector(str(fused / "best-dry.pt"), device="cpu")
    other = write_script(fused / "other.pt", Loudness)
    with pytest.raises(ValueError, match="is another encoder than the network was trained with"):
        load_detector(str(fused / "best-dry.pt"), device="cpu", encoder=other)
    with pytest.raises(ValueError, match="absent: no such file, the torchscript encoder's"):
        load_detector(str(fused / "best-dry.pt"), device="cpu", encoder=str(fused / "absent"))
    with pytest.raises(ValueError, match="takes no embeddings"):
        window_encoder(None, other, features, "cpu")
    assert window_encoder(None, None, features, "cpu") is None


def test_waveforms_in_memory_are_heard_with_the_encoder(fused):
    detector = WaveformDetector.load(
        fused / "best-dry.pt", device="cpu", encoder=fused / "encoder.pt"
    )
    assert np.isfinite(detector.scores(bursts(3.0), 8000).to_numpy()).all()


@pytest.fixture
def tuned(tmp_path):
    """A checkpoint whose networks hold an encoder that has learnt; and the encoder's first file."""
    path = stored(tmp_path / "beats.pt", beats_checkpoint())
    found = find_encoder(Encoder(kind="beats", path=path), None)
    finetune = FineTuning(learning_rate=1e-4)
    fusion = EmbeddingFusion(fusion="pool", width=16, finetune=finetune)
    model = MODEL.model_copy(update={"embedding": fusion})
    networks = {}
    for name in ("student", "teacher"):
        network = make_network(model, len(CLASSES), torch.Generator().manual_seed(3))
        with torch.no_grad():
            network.strong.weight.mul_(150)
        encoder = with_gradients(open_encoder(found, "cpu"), found.facts)
        networks[name] = TunedNetwork(network, encoder, finetune).eval()
        with torch.no_grad():
            for weights in networks[name].encoder.parameters():
                weights.mul_(1.1)
    predictor = Predictor(
        **networks,
        normaliser=NORMALISER,
        trial=trial(model=model),
        features=HEARD,
        classes=CLASSES,
        epoch=3,
        encoder=found.facts,
    )
    save_predictor(Folder(str(tmp_path)), "best-dry.pt", predictor)
    return tmp_path, predictor


def test_a_tuned_encoder_is_heard_from_the_checkpoint_alone(tuned):
    folder, predictor = tuned
    (folder / "beats.pt").rename(folder / "gone.pt")
    detector = load_detector(str(folder / "best-dry.pt"), device="cpu")
    rng = np.random.default_rng(0)
    wave = rng.normal(0, 0.1, 12000).astype(np.float32)
    given = detector.window_input(wave)
    mel_BTF = torch.from_numpy(given.mel_TF[None]).float()
    log_mel_BTF = log_mel_db_torch(mel_BTF, torch.tensor([given.frames]), HEARD.floor_db)
    audio = audio_of(
        torch.from_numpy(wave[None]), np.array([12000]), predictor.encoder, (HEARD, MODEL)
    )
    with torch.inference_mode():
        expected = predictor.model(NORMALISER(log_mel_BTF), audio=audio)[0].half().numpy()
    np.testing.assert_array_equal(detector.scores([given]), expected)
    again = pickle.loads(pickle.dumps(detector))  # noqa: S301 - as Ray sends it
    np.testing.assert_array_equal(again.scores([again.window_input(wave)]), expected)
    moved = detector.encoder.on("cpu")
    np.testing.assert_array_equal(moved.rows(wave), given.rows_RE)
    assert moved.tuned is not detector.encoder.tuned
    with pytest.raises(ValueError, match="the checkpoint holds its encoder"):
        load_detector(str(folder / "best-dry.pt"), device="cpu", encoder=str(folder / "gone.pt"))


def test_the_export_leaves_the_tuned_encoder_as_a_file_of_its_kind(tuned):
    folder, _ = tuned
    detector = load_detector(str(folder / "best-dry.pt"), device="cpu")
    assert export_onnx(detector, folder / "model.onnx").ok
    path = folder / "model.encoder.pt"
    opened = open_encoder(find_encoder(Encoder(kind="beats", path=str(path)), None), "cpu")
    wave = np.random.default_rng(0).normal(0, 0.1, 12000).astype(np.float32)
    (rows_RE,) = embed_clips(opened, [wave], HEARD)
    np.testing.assert_array_equal(rows_RE, detector.encoder.rows(wave)[: len(rows_RE)])
    first = open_encoder(
        find_encoder(Encoder(kind="beats", path=str(folder / "beats.pt")), None), "cpu"
    )
    assert np.abs(embed_clips(first, [wave], HEARD)[0] - rows_RE).max() > 1e-3
