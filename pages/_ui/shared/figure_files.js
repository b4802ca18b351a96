// Draws a figure again, on white and larger than on the page, and saves it. The library that draws comes from the server.

const PIXELS_PER_INCH = 96
const DOTS_PER_INCH = 300

const drawing = (address) => {
  if (!window.dlregDrawing) {
    window.dlregDrawing = new Promise((resolve, reject) => {
      const script = document.createElement("script")
      script.src = address
      script.onload = () => resolve(window.Plotly)
      script.onerror = () => {
        window.dlregDrawing = null
        reject(new Error("not there"))
      }
      document.head.append(script)
    })
  }
  return window.dlregDrawing
}

const checksum = (bytes) => {
  let found = 0xffffffff
  for (const byte of bytes) {
    found ^= byte
    for (let bit = 0; bit < 8; bit++) found = (found >>> 1) ^ (found & 1 ? 0xedb88320 : 0)
  }
  return ~found >>> 0
}

// The size in print is a part of its own, which follows the head of a PNG file (33 bytes).
const withResolution = (image) => {
  const part = new Uint8Array(21)
  const view = new DataView(part.buffer)
  const perMetre = Math.round(DOTS_PER_INCH / 0.0254)
  view.setUint32(0, 9)
  part.set([0x70, 0x48, 0x59, 0x73], 4)
  view.setUint32(8, perMetre)
  view.setUint32(12, perMetre)
  part[16] = 1
  view.setUint32(17, checksum(part.subarray(4, 17)))
  return new Blob([image.subarray(0, 33), part, image.subarray(33)], { type: "image/png" })
}

const drawn = async (data, format) => {
  const Plotly = await drawing(data.address)
  const figure = JSON.parse(data.figure)
  const size = { width: data.width, height: data.height }
  const scale = format === "png" ? DOTS_PER_INCH / PIXELS_PER_INCH : 1
  const address = await Plotly.toImage(figure, { format, scale, ...size })
  const image = await (await fetch(address)).blob()
  return format === "png" ? withResolution(new Uint8Array(await image.arrayBuffer())) : image
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".files")
  const said = root.querySelector("span")
  for (const button of root.querySelectorAll("button")) {
    const format = button.dataset.format
    button.onclick = async () => {
      said.textContent = "Drawing"
      try {
        const file = URL.createObjectURL(await drawn(data, format))
        const link = Object.assign(document.createElement("a"), { href: file, download: `${data.name}.${format}` })
        link.click()
        setTimeout(() => URL.revokeObjectURL(file), 60_000)
        said.textContent = ""
      } catch (error) {
        console.warn(error)
        said.textContent = "It could not be drawn. Reload the page, and try again."
      }
    }
  }
}
