"""Read and separate audio files of sixty kinds, and write stems in every format.

Makes the files with ffmpeg and sox, separates each with the packaged network without pitch shifts,
in a process of its own, and prints a line for each file: the number of samples read, the difference
from ffmpeg's, and the formats in which both stems were written completely. Needs the programs
ffmpeg and sox.

    python benchmarks/kinds_of_files.py
    python benchmarks/kinds_of_files.py --only mp3
"""

import argparse
import multiprocessing
import struct
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy as np

SAMPLE_RATE = 44100
SECONDS = 2.0
FORMATS = (None, "wav", "flac", "ogg", "mp3", "opus")  # None: the format of the song
TIMEOUT = 60  # seconds for a file


def run(*command):
    """Run a program and discard its output."""
    subprocess.run([*map(str, command)], check=True, capture_output=True)


def encode(*options):
    """Return a function that makes a file with ffmpeg."""
    return lambda song, path: run("ffmpeg", "-v", "error", "-y", "-i", song, *options, path)


def by_sndfile(audio_format, subtype, sample_rate=SAMPLE_RATE, n_channels=2):
    """Return a function that makes a file with libsndfile."""

    def make(song, path):
        import soundfile

        samples, _ = soundfile.read(song, dtype="float32", always_2d=True)
        samples = samples[:, :n_channels]
        soundfile.write(path, samples, sample_rate, subtype, format=audio_format)

    return make


def misnamed_wav(song, path):
    """Make a WAV file with the name of another format."""
    wav = path.with_suffix(".wav")
    encode()(song, wav)
    wav.rename(path)


def changed(make, change):
    """Return a function that makes a file with `make` and then changes its bytes."""

    def make_and_change(song, path):
        make(song, path)
        path.write_bytes(change(bytearray(path.read_bytes())))

    return make_and_change


def data_length(length):
    """Return a function that sets the length of a WAV file's sample data.

    `length` is a number, or a function of the true length.
    """

    def change(data):
        at = data.index(b"data") + 4
        true = struct.unpack("<I", data[at : at + 4])[0]
        data[at : at + 4] = struct.pack("<I", length(true) if callable(length) else length)
        return data

    return change


def first(share):
    """Return a function that keeps the given share of a file from its beginning."""
    return lambda data: data[: int(len(data) * share)]


def twice_other(song, path):
    """Join two MP3 files of different bit rates."""
    parts = []
    for options in (["-b:a", "128k"], ["-q:a", "5"]):
        encode(*options)(song, path)
        parts.append(path.read_bytes())
    path.write_bytes(b"".join(parts))


def cover_art(song, path):
    """Make an MP3 with a picture in it."""
    picture = path.with_suffix(".png")
    source = ("-f", "lavfi", "-i", "color=red:s=500x500", "-frames:v", 1)
    run("ffmpeg", "-v", "error", "-y", *source, picture)
    mapped = ("-map", 0, "-map", 1, "-c:v", "copy", "-id3v2_version", 3)
    run("ffmpeg", "-v", "error", "-y", "-i", song, "-i", picture, *mapped, path)
    picture.unlink()


def video(*options):
    """Return a function that makes a video: a black picture with the song."""
    return lambda song, path: run(
        *("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", f"color=black:s=64x64:d={SECONDS}"),
        *("-i", song, "-shortest", *options, path),
    )


def no_sound(song, path):
    """Make a video without an audio stream."""
    run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "color=black:s=64x64:d=1", path)


def short_ds64(data):
    """Shorten the ds64 chunk of an RF64 file to end before its table, as some programs write it."""
    at = data.index(b"ds64") + 4
    length = struct.unpack("<I", data[at : at + 4])[0]
    shorter = 24
    data[at : at + 4] = struct.pack("<I", shorter)
    del data[at + 4 + shorter : at + 4 + length]
    return data


def without_last_page(data):
    """Remove the last page of an Ogg file, so that no page is marked as the last, as in radio."""
    return data[: data.rindex(b"OggS")]


MP3 = encode("-b:a", "128k")
NO_HEADER = encode("-b:a", "128k", "-write_xing", "0")
WAV = encode("-c:a", "pcm_s16le")

# The name of a file and the function that makes it, in the order of the table.
KINDS = {
    "pcm_16.wav": WAV,
    "pcm_u8.wav": encode("-c:a", "pcm_u8"),
    "pcm_24.wav": encode("-c:a", "pcm_s24le"),
    "pcm_32.wav": encode("-c:a", "pcm_s32le"),
    "float.wav": encode("-c:a", "pcm_f32le"),
    "double.wav": encode("-c:a", "pcm_f64le"),
    "u_law.wav": encode("-c:a", "pcm_mulaw"),
    "ms_adpcm.wav": encode("-c:a", "adpcm_ms"),
    "ima_adpcm.wav": encode("-c:a", "adpcm_ima_wav"),
    "gsm.wav": by_sndfile("WAV", "GSM610", 8000, 1),
    "g721.wav": by_sndfile("WAV", "G721_32", 8000, 1),
    "nms_adpcm.wav": by_sndfile("WAV", "NMS_ADPCM_32", 8000, 1),
    "mp3_in.wav": encode("-c:a", "libmp3lame", "-f", "wav"),
    "extensible.wav": by_sndfile("WAVEX", "PCM_24"),
    "big_endian.wav": lambda song, path: run("sox", song, "-B", path),
    "six_channels.wav": encode("-ac", "6"),
    "192_kHz.wav": encode("-ar", "192000"),
    "length_0.wav": changed(WAV, data_length(0)),
    "length_7ffff000.wav": changed(WAV, data_length(0x7FFFF000)),
    "length_7fffffff.wav": changed(WAV, data_length(0x7FFFFFFF)),
    "length_80000000.wav": changed(WAV, data_length(0x80000000)),
    "length_ffffffff.wav": changed(WAV, data_length(0xFFFFFFFF)),
    "three_bytes_too_many.wav": changed(WAV, data_length(lambda true: true + 3)),
    "short_ds64.rf64": changed(by_sndfile("RF64", "PCM_16"), short_ds64),
    "cut.wav": changed(WAV, first(0.6)),
    "a.rf64": by_sndfile("RF64", "PCM_16"),
    "a.w64": encode(),
    "a.aiff": encode(),
    "a.caf": encode(),
    "a.au": encode(),
    "a.flac": encode(),
    "cut.flac": changed(encode(), first(0.6)),
    "a.ogg": encode("-c:a", "libvorbis"),
    "no_end_flag.ogg": changed(encode("-c:a", "libvorbis"), without_last_page),
    "cut.ogg": changed(encode("-c:a", "libvorbis"), first(0.6)),
    "a.opus": encode("-c:a", "libopus"),
    "cbr.mp3": MP3,
    "vbr.mp3": encode("-q:a", "4"),
    "cbr_no_header.mp3": NO_HEADER,
    "vbr_no_header.mp3": encode("-q:a", "4", "-write_xing", "0"),
    "cover_art.mp3": cover_art,
    "id3v1.mp3": changed(NO_HEADER, lambda data: data + b"TAG" + bytes(125)),
    "zeros_in_front.mp3": changed(MP3, lambda data: bytes(5000) + data),
    "two_joined.mp3": twice_other,
    "cut.mp3": changed(MP3, first(0.6)),
    "a.mp2": encode(),
    "a.m4a": encode("-c:a", "aac"),
    "alac.m4a": encode("-c:a", "alac"),
    "a.aac": encode("-c:a", "aac"),
    "a.ac3": encode(),
    "a.wma": encode(),
    "a.webm": encode("-c:a", "libopus"),
    "a.wv": encode(),
    "a.tta": encode(),
    "film.mp4": video("-c:a", "aac"),
    "film.mov": video("-c:a", "pcm_s16le"),
    "film.mkv": video("-c:a", "ac3"),
    "silent_film.mp4": no_sound,
    "really_wav.mp3": misnamed_wav,
    "really_wav.raw": misnamed_wav,
}


def make_song(path):
    """Write the song of all files: synthesised, stereo, 16 bit."""
    from sksvs.audio import write
    from sksvs.datasets import make_singing_mixtures

    X, _ = make_singing_mixtures(1, SECONDS, SAMPLE_RATE, n_channels=2, random_state=0)
    write(path, X[0], SAMPLE_RATE, "PCM_16")


def decoded_by_ffmpeg(path, n_channels):
    """Decode with the program ffmpeg: float32, (n, n_channels); None if it fails."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "f32le", "-c:a", "pcm_f32le", "-"]
    raw = subprocess.run(command, capture_output=True, check=False).stdout
    if not raw or len(raw) % (4 * n_channels):
        return None
    return np.frombuffer(raw, np.float32).reshape(-1, n_channels)


def try_kind(path, separator, results):
    """Read and separate a file, and put the result of every step into a queue."""
    from sksvs.audio import AudioFile
    from sksvs.separation import separate_file

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            file = AudioFile(path)
            samples = file[:]
        except Exception as error:
            results.put(("refused", str(error)))
            return
        theirs = decoded_by_ffmpeg(path, file.n_channels)
        words = f"{len(samples)}"
        if theirs is not None:
            n = min(len(theirs), len(samples))
            largest = np.abs(samples.reshape(len(samples), -1)[:n] - theirs[:n]).max()
            words += f", {len(theirs) - len(samples):+d}, {largest:.0e}"
        results.put(("read", words))
        results.put(("warned", "; ".join(sorted({str(w.message) for w in caught}))))
        for audio_format in FORMATS:
            try:
                folder = path.parent / f"{path.name} {audio_format}"
                stems = separate_file(separator, path, folder, audio_format=audio_format)
                lengths = {len(AudioFile(stem)) / AudioFile(stem).sample_rate for stem in stems}
                seconds = len(samples) / file.sample_rate
                whole = all(abs(length - seconds) < 0.2 for length in lengths)
                results.put((audio_format, "yes" if whole else "short"))
            except Exception as error:
                results.put((audio_format, "no"))
                results.put(("warned", str(error)))


def try_in_process(path, separator):
    """Try a file in a process of its own, and return the results by step."""
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    process = context.Process(target=try_kind, args=(path, separator, results))
    process.start()
    process.join(TIMEOUT)
    found = {}
    if process.is_alive():
        process.kill()
        found["refused"] = f"hung for {TIMEOUT} s"
    elif process.exitcode != 0:
        found["refused"] = f"ended the process ({process.exitcode})"
    while not results.empty():
        step, words = results.get()
        found[step] = f"{found[step]}; {words}" if step in found and words else words
    return found


def main(only=""):
    """Print a line for each file."""
    import sksvs

    separator = sksvs.pretrained("voice")
    heads = "".join(f"{audio_format or 'own':>6}" for audio_format in FORMATS)
    print(f"{'file':<26}{'samples, ffmpeg, differ':>24}{heads}  what is said")
    with tempfile.TemporaryDirectory() as folder:
        song = Path(folder) / "song.wav"
        make_song(song)
        for name, make in KINDS.items():
            if only not in name:
                continue
            path = Path(folder) / name
            make(song, path)
            found = try_in_process(path, separator)
            columns = "".join(f"{found.get(f, '-'):>6}" for f in FORMATS)
            said = found.get("refused") or found.get("warned", "")
            said = " ".join(said.replace(str(path), name).replace(folder, "").split())
            print(f"{name:<26}{found.get('read', 'none'):>24}{columns}  {said[:150]}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="part of the names of the files to try")
    main(parser.parse_args().only)
