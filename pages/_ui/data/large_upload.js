// Sends one file to the server as it is read from disk, so that neither the browser nor the server holds it whole.

const MEGABYTE = 1024 * 1024

const size = (bytes) => `${Math.round(bytes / MEGABYTE).toLocaleString("en-US")} MB`

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".large")
  const input = root.querySelector("input")
  const choose = root.querySelector(".choose")
  const sending = root.querySelector(".sending")
  const said = root.querySelector(".said")
  const bar = root.querySelector("progress")
  const stop = root.querySelector(".stop")
  const wrong = root.querySelector(".wrong")

  choose.querySelector("span").textContent = data.label
  input.accept = data.accept

  const rest = (message) => {
    root.request = null
    sending.hidden = true
    choose.hidden = false
    input.value = ""
    wrong.textContent = message
    wrong.hidden = !message
  }

  const send = (file) => {
    if (file.size > data.most_bytes) {
      rest(`${file.name} has ${size(file.size)}; ${size(data.most_bytes)} is the most that is allowed here.`)
      return
    }
    const request = new XMLHttpRequest()
    const since = performance.now()
    root.request = request
    wrong.hidden = true
    choose.hidden = true
    sending.hidden = false
    bar.value = 0
    said.textContent = `Sending ${file.name}`
    request.upload.onprogress = (event) => {
      const share = event.loaded / Math.max(1, file.size)
      const left = ((performance.now() - since) / 1000) * (1 / Math.max(share, 1e-6) - 1)
      bar.value = share
      said.textContent =
        `Sending ${file.name}: ${size(event.loaded)} of ${size(file.size)}` +
        (left > 5 ? `, about ${Math.ceil(left)} s left` : "")
    }
    request.onload = () => {
      let answer = {}
      try {
        answer = JSON.parse(request.responseText)
      } catch {
        // A proxy in between answers in its own way.
      }
      if (request.status === 202) {
        said.textContent = `${file.name} is there.`
        root.request = null
        setTriggerValue("arrived", data.ticket)
      } else {
        rest(`${answer.message ?? "The server didn't take the file."} ${answer.hint ?? ""}`.trim())
        setTriggerValue("failed", data.ticket)
      }
    }
    request.onerror = () => {
      rest("The connection broke off before the whole file was sent. Choose it again.")
      setTriggerValue("failed", data.ticket)
    }
    request.onabort = () => {
      rest("")
      setTriggerValue("failed", data.ticket)
    }
    request.open("PUT", data.address)
    request.setRequestHeader("X-File-Name", encodeURIComponent(file.name))
    request.send(file)
  }

  if (!root.request && root.ticket !== data.ticket) {
    // A new ticket: what was shown of the file before is over.
    sending.hidden = true
    choose.hidden = false
  }
  root.ticket = data.ticket
  choose.onclick = () => input.click()
  input.onchange = () => input.files[0] && send(input.files[0])
  stop.onclick = () => root.request?.abort()
}
