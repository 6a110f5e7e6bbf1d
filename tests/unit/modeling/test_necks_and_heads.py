from __future__ import annotations

import numpy as np
import paddle
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling.heads import ClsHead, CTCHead, DBHead
from ppocr_lite.modeling.necks import DBFPN, SequenceEncoder


def test_pyramid_joins_four_maps_at_the_finest() -> None:
    maps = [paddle.randn([2, c, 32 // 2**i, 48 // 2**i]) for i, c in enumerate((8, 16, 24, 32))]
    assert tuple(DBFPN((8, 16, 24, 32), 16)(maps).shape) == (2, 16, 32, 48)


def test_pyramid_sees_the_coarsest_map_in_every_level() -> None:
    maps = [paddle.randn([1, 4, 16 // 2**i, 16 // 2**i]) for i in range(4)]
    maps[3].stop_gradient = False
    DBFPN((4, 4, 4, 4), 8)(maps)[:, -2:].sum().backward()  # the finest level
    assert maps[3].grad.abs().sum().item() > 0


@pytest.mark.parametrize(("channels", "width"), [((8, 8, 8), 16), (32, 16), ((8, 8, 8, 8), 10)])
def test_pyramid_refuses_what_does_not_fit(channels: object, width: int) -> None:
    with pytest.raises(ConfigError):
        DBFPN(channels, width)


@pytest.mark.parametrize(("kind", "features"), [("rnn", 14), ("fc", 7), ("reshape", 12)])
def test_sequence_encoder_turns_the_width_into_steps(kind: str, features: int) -> None:
    neck = SequenceEncoder(12, kind, hidden_size=7)
    assert neck.out_channels == features
    assert tuple(neck(paddle.randn([2, 12, 1, 9])).shape) == (2, 9, features)


def test_recurrent_encoder_reads_in_both_directions() -> None:
    neck = SequenceEncoder(4, "rnn", hidden_size=3)
    x = paddle.randn([1, 4, 1, 6])
    x.stop_gradient = False
    neck(x)[:, 2].sum().backward()
    assert (x.grad[0, :, 0].abs().sum(0) > 0).all()


def test_sequence_encoder_refuses_two_rows() -> None:
    with pytest.raises(ValueError, match="one row high"):
        SequenceEncoder(4, "reshape")(paddle.zeros([1, 4, 2, 6]))


def test_db_head_gives_three_maps_to_the_loss_and_predicts_one() -> None:
    head, x = DBHead(16), paddle.randn([2, 16, 5, 6])
    maps = head(x)["maps"].numpy()
    assert maps.shape == (2, 3, 20, 24)
    assert 0 <= maps.min() <= maps.max() <= 1
    np.testing.assert_allclose(head.predict(x)["maps"].numpy(), maps[:, :1], atol=0.05)  # the statistics of a batch
    assert tuple(head.predict(x)["maps"].shape) == (2, 1, 20, 24)


def test_threshold_branch_does_not_run_in_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    head = DBHead(16)
    head.eval()
    monkeypatch.setattr(head.thresh, "forward", lambda x: pytest.fail("the threshold branch ran"))
    head.predict(paddle.randn([1, 16, 4, 4]))


def test_binary_map_is_the_steep_step_of_the_paper() -> None:
    p, t = paddle.to_tensor([0.1, 0.5, 0.9, 1.0]), paddle.to_tensor([0.2, 0.5, 0.85, 0.0])
    expected = 1 / (1 + np.exp(-50.0 * (p.numpy() - t.numpy())))
    np.testing.assert_allclose(DBHead(16, k=50).step_function(p, t).numpy(), expected, rtol=1e-5)


def test_batch_normalisation_of_db_head_starts_at_one_and_a_little() -> None:
    head = DBHead(16)
    assert head.binarize.conv_bn1.weight.numpy() == pytest.approx(1.0)
    assert head.thresh.conv_bn2.bias.numpy() == pytest.approx(1e-4)


def test_ctc_head_gives_logits_to_the_loss_and_predicts_probabilities() -> None:
    head, x = CTCHead(6, 11), paddle.randn([2, 5, 6])
    logits = head(x)["logits"]
    np.testing.assert_allclose(
        head.predict(x)["probabilities"].numpy(), paddle.nn.functional.softmax(logits, axis=2).numpy(), rtol=1e-5
    )


def test_ctc_head_has_a_layer_between_if_asked() -> None:
    shapes = {name: tuple(value.shape) for name, value in CTCHead(6, 11, mid_channels=4).state_dict().items()}
    assert shapes == {"fc1.weight": (6, 4), "fc1.bias": (4,), "fc2.weight": (4, 11), "fc2.bias": (11,)}


def test_ctc_head_decays_by_itself_and_starts_uniform() -> None:
    head = CTCHead(16, 9, fc_decay=0.01)
    for parameter in head.parameters():
        assert parameter.regularizer is not None
        assert np.abs(parameter.numpy()).max() <= 0.25


def test_cls_head_gives_one_distribution_an_image() -> None:
    head = ClsHead(6)
    probabilities = head.predict(paddle.randn([3, 6, 2, 5]))["probabilities"]
    np.testing.assert_allclose(probabilities.numpy().sum(1), 1, rtol=1e-6)
