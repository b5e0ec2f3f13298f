// Smart Forms' renderer alone on a page: show(questionnaire, response) starts it afresh, taken() gives what is filled in.
import { QueryClientProvider } from '@tanstack/react-query';
import { BaseRenderer, buildForm, getResponse, RendererThemeProvider, useRendererQueryClient } from '@aehrc/smart-forms-renderer';
import { formUpdateQueueStore } from '@aehrc/smart-forms-renderer/lib/stores/formUpdateQueueStore';
import { createRoot } from 'react-dom/client';

function Form() {
  return (
    <RendererThemeProvider>
      <QueryClientProvider client={useRendererQueryClient()}>
        <BaseRenderer />
      </QueryClientProvider>
    </RendererThemeProvider>
  );
}

let root;
window.show = async (questionnaire, questionnaireResponse) => {
  root?.unmount();
  await buildForm({ questionnaire, questionnaireResponse: questionnaireResponse ?? undefined });
  root = createRoot(document.getElementById('form'));
  root.render(<Form />);
};

// It works through the changes one after the other.
window.settled = () => formUpdateQueueStore.getState().queue.length === 0;
window.taken = getResponse;
