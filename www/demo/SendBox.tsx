import { type FormEvent, useState } from 'react';

/** A line of text for all tabs. */
export function SendBox({ onSend }: { onSend: (text: string) => void }) {
  const [text, setText] = useState('');
  const send = (event: FormEvent) => {
    event.preventDefault();
    onSend(text.trim() || 'hello');
    setText('');
  };
  return (
    <form className="send" onSubmit={send}>
      <input
        type="text"
        value={text}
        maxLength={200}
        placeholder="hello"
        aria-label="Message to all tabs"
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="primary">
        Send to all tabs
      </button>
    </form>
  );
}
