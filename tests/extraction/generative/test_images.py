"""A fine-tuned model that refuses an image reads its document with the others, and says which."""

import pytest

from abroad.engines.base import Generation, RefusedImage
from abroad.engines.transformers.engine import TransformersEngine
from abroad.extraction.generative.decoding import Decoding
from abroad.extraction.generative.extractor import GenerativeExtractor
from tests.conftest import make_document
from tests.visual import save_visual_model

pytest.importorskip("PIL")
from PIL import Image


def document(folder, id="1", **sizes):
    made = make_document(id, "Lichens.", "Usnea barbata had usnic acid.", [])
    made.extra["images"] = [f"{name}.png" for name in sizes]
    for name, size in sizes.items():
        Image.new("RGB", size, "red").save(folder / f"{name}.png")
    return made


class Engine:
    """Refuses the second image of each request, and the longer documents' chunks have none."""

    context_length = None

    def generate(self, requests):
        for request in requests:
            refused = (RefusedImage(1, "too narrow"),) if len(request.images) > 1 else ()
            yield Generation(request.id, "Usnea barbata produces usnic acid", "stop", 9, refused_images=refused)


def test_a_refused_image_is_told_by_its_name(tmp_path, tiny_model):
    from abroad.models.load import load_tokenizer
    from abroad.models.resolve import resolve_model

    extractor = GenerativeExtractor(Engine(), load_tokenizer(resolve_model(str(tiny_model))), Decoding(), {})
    extractor.show_images(64, tmp_path)
    made = document(tmp_path, a=(40, 20), b=(40, 20))
    made.extra["images"] += ["gone.png", 5]
    (prediction,) = extractor.extract([made])
    *_, refused = prediction.extra["images_set_aside"]
    assert refused == f"image {tmp_path / 'b.png'}: too narrow" and len(prediction.extra["images_set_aside"]) == 3
    assert prediction.error is None and len(prediction.relations) == 1


def test_a_model_of_qwen_reads_a_document_with_a_thin_figure(tmp_path, smollm2):
    engine = TransformersEngine.from_name(str(save_visual_model(smollm2, tmp_path / "m", "qwen2-vl")))
    extractor = GenerativeExtractor(engine, engine.tokenizer, Decoding(num_beams=1, max_new_tokens=8), {})
    extractor.show_images(672, tmp_path)
    asked = [
        document(tmp_path, "both", good=(40, 24), thin=(2000, 1)),
        document(tmp_path, "good", good=(40, 24)),
        document(tmp_path, "thin", thin=(2000, 1)),
        document(tmp_path, "none"),
    ]
    found = {prediction.id: prediction.extra for prediction in extractor.extract(asked)}
    assert all("prompt_tokens" in extra for extra in found.values())  # none has failed
    for id, same in (("both", "good"), ("thin", "none")):
        (told,) = found[id]["images_set_aside"]
        assert "thin.png: the model's processor refuses it: absolute aspect ratio" in told
        assert found[id]["prompt_tokens"] == found[same]["prompt_tokens"] and "images_set_aside" not in found[same]
