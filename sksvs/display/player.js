// Play stems in step. An expression: a function of the element that holds the player.
(root) => {
  "use strict";
  if (root.dataset.ready) return;
  root.dataset.ready = "yes";
  const find = (name, within = root) => within.querySelector(`.sksvs-${name}`);
  const duration = Number(root.dataset.duration);
  const [play, clock, seek, problem] = ["play", "clock", "seek", "error"].map((name) => find(name));
  const stems = [...root.querySelectorAll(".sksvs-stem")].map((row) => {
    const audio = row.querySelector("audio");
    audio.remove(); // it is for pages that run no scripts
    return {
      row,
      data: audio.src.split(",")[1],
      solo: find("solo", row),
      mute: find("mute", row),
      gain: find("gain", row),
    };
  });
  let context = null, loading = null, sources = [], playing = false, began = 0, offset = 0;

  const pressed = (button) => button.getAttribute("aria-pressed") === "true";
  const press = (button, state) => button.setAttribute("aria-pressed", String(state));
  const position = () =>
    playing ? Math.min(offset + Math.max(0, context.currentTime - began), duration) : offset;
  const time = (seconds) =>
    `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

  const load = async () => {
    context = new AudioContext();
    await Promise.all(
      stems.map(async (stem) => {
        stem.node = context.createGain();
        stem.node.gain.value = 0;
        stem.node.connect(context.destination);
        const bytes = Uint8Array.from(atob(stem.data), (char) => char.charCodeAt(0));
        stem.buffer = await context.decodeAudioData(bytes.buffer);
        stem.data = null;
      }),
    );
    mix();
  };

  const mix = () => {
    const alone = stems.some((stem) => pressed(stem.solo));
    for (const stem of stems) {
      const sounds = alone ? pressed(stem.solo) : !pressed(stem.mute);
      stem.row.classList.toggle("sksvs-silent", !sounds);
      find("db", stem.row).textContent = `${stem.gain.value} dB`;
      const gain = sounds ? 10 ** (stem.gain.value / 20) : 0;
      stem.node?.gain.setTargetAtTime(gain, context.currentTime, 0.01);
    }
  };

  const show = () => {
    const at = position();
    root.style.setProperty("--sksvs-at", `${(100 * at) / duration}%`);
    const start = Number(root.dataset.start);
    clock.textContent = `${time(start + at)} / ${time(start + duration)}`;
    seek.value = at;
    seek.setAttribute("aria-valuetext", time(start + at));
    play.textContent = playing ? "❚❚ Pause" : "▶ Play";
    press(play, playing);
  };

  const silence = () => {
    for (const source of sources) source.stop();
    sources = [];
  };

  const start = () => {
    silence();
    playing = true;
    began = context.currentTime + 0.05; // all of them begin at this moment
    for (const stem of stems) {
      const source = context.createBufferSource();
      source.buffer = stem.buffer;
      source.connect(stem.node);
      source.start(began, offset);
      sources.push(source);
    }
  };

  const pause = () => {
    offset = position();
    playing = false;
    silence();
    show();
  };

  const move = () => {
    if (!playing) return;
    if (!root.isConnected) {
      pause();
      context.close();
    } else if (position() >= duration) {
      pause();
      go(0);
    } else {
      show();
      requestAnimationFrame(move);
    }
  };

  const go = (seconds) => {
    offset = Math.min(Math.max(seconds, 0), duration);
    if (playing) start();
    show();
  };

  play.addEventListener("click", async () => {
    if (playing) return pause();
    try {
      await (loading ??= load());
    } catch (error) {
      problem.textContent = `This browser cannot decode the audio: ${error}`;
      return;
    }
    await context.resume();
    if (playing) return;
    document.dispatchEvent(new CustomEvent("sksvs-play", { detail: root }));
    start();
    show();
    requestAnimationFrame(move);
  });

  // One player at a time.
  document.addEventListener("sksvs-play", function others(event) {
    if (!root.isConnected) document.removeEventListener("sksvs-play", others);
    else if (event.detail !== root && playing) pause();
  });

  for (const stem of stems) {
    stem.solo.addEventListener("click", (event) => {
      const others = event.shiftKey ? [] : stems.filter((other) => other !== stem);
      const wasAlone = pressed(stem.solo) && !others.some((other) => pressed(other.solo));
      others.forEach((other) => press(other.solo, false));
      press(stem.solo, !wasAlone);
      mix();
    });
    stem.mute.addEventListener("click", () => {
      press(stem.mute, !pressed(stem.mute));
      mix();
    });
    stem.gain.addEventListener("input", mix);
  }

  seek.addEventListener("input", () => go(Number(seek.value)));
  for (const lane of root.querySelectorAll(".sksvs-lane")) {
    const follow = (event) => {
      if (!(event.buttons & 1)) return;
      const box = lane.getBoundingClientRect();
      go(((event.clientX - box.left) / box.width) * duration);
    };
    lane.addEventListener("pointerdown", follow);
    lane.addEventListener("pointermove", follow);
  }
  mix();
  show();
}
